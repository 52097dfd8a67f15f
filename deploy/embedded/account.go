package embedded

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// account is who PostgreSQL runs as. It refuses to run as root, so root hands it
// to an unprivileged user.
type account struct {
	name string
	uid  uint32
	gid  uint32
	cred *syscall.Credential // nil: as ourselves
}

// chooseAccount keeps the owner of an existing cluster; for a new one it is
// ourselves, or for root user postgres, else nobody.
func chooseAccount(cluster string) (account, error) {
	self := account{uid: uint32(os.Geteuid()), gid: uint32(os.Getegid())}
	if u, err := user.Current(); err == nil {
		self.name = u.Username
	}
	owner, exists := ownerOf(cluster)
	switch {
	case os.Geteuid() != 0 && exists && owner != self.uid:
		return account{}, fmt.Errorf("%s belongs to another user (uid %d): start quietline as that user or as root", cluster, owner)
	case os.Geteuid() != 0:
		return self, nil
	case exists && owner != 0:
		return lookup(user.LookupId(strconv.FormatUint(uint64(owner), 10)))
	}
	for _, name := range []string{"postgres", "nobody"} {
		if a, err := lookup(user.Lookup(name)); err == nil {
			return a, nil
		}
	}
	return account{}, errors.New("PostgreSQL does not run as root, and this machine has neither a user postgres nor a user nobody: start quietline as an ordinary user")
}

func lookup(u *user.User, err error) (account, error) {
	if err != nil {
		return account{}, fmt.Errorf("user that PostgreSQL runs as: %w", err)
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		return account{}, fmt.Errorf("user %s: %w", u.Username, err)
	}
	return account{
		name: u.Username, uid: uint32(uid), gid: uint32(gid),
		cred: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)},
	}, nil
}

func ownerOf(path string) (uint32, bool) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return st.Uid, true
}

// run is a command as this account, in a folder that everybody can enter.
func (a account) run(bin string, args ...string) *exec.Cmd {
	cmd := exec.Command(bin, args...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"}
	if a.cred != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: a.cred}
	}
	return cmd
}

// command is a run to be repeated.
func (a account) command(bin string, args ...string) func() *exec.Cmd {
	return func() *exec.Cmd { return a.run(bin, args...) }
}

// own hands a path to this account.
func (a account) own(path string) error {
	if a.cred == nil {
		return nil
	}
	if err := os.Chown(path, int(a.uid), int(a.gid)); err != nil {
		return fmt.Errorf("hand %s to user %s: %w", path, a.name, err)
	}
	return nil
}

// canEnter checks that the account can pass through dir and every folder above
// it, and names the first one where it cannot. It asks by trying, as that user:
// mode bits alone do not tell of access lists and mounts.
func (a account) canEnter(dir string) error {
	if a.cred == nil {
		return nil
	}
	chain := []string{dir}
	for d := filepath.Dir(dir); ; d = filepath.Dir(d) {
		chain = append([]string{d}, chain...)
		if d == filepath.Dir(d) {
			break
		}
	}
	const script = `for d do [ -x "$d" ] || { printf %s "$d"; exit 1; }; done`
	out, err := a.run("/bin/sh", append([]string{"-c", script, "sh"}, chain...)...).Output()
	if err == nil {
		return nil
	}
	folder := strings.TrimSpace(string(out))
	if folder == "" {
		return fmt.Errorf("check the folders above %s as user %s: %w", dir, a.name, err)
	}
	return fmt.Errorf("PostgreSQL does not run as root but as user %[1]s, who cannot enter %[2]s: allow it with `chmod o+x %[2]s`, or choose a directory elsewhere with --data",
		a.name, folder)
}
