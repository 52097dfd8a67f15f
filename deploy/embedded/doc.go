// Package embedded runs what the mesh stands on, on one machine and out of one
// data directory: a private PostgreSQL cluster from the machine's own binaries,
// the production Temporal server keeping its databases in that same cluster, and
// the certificate authority of the mesh. `quietline up` starts the services on
// top of it.
//
//	<data>/VERSION     layout of this directory; a newer one is refused
//	<data>/lock        held while a mesh runs here
//	<data>/postgres/   the cluster (owned by an unprivileged user when started as root)
//	<data>/temporal/   configuration, certificate and ports of the Temporal server
//	<data>/ca/         the mesh's certificate authority
//	<data>/secrets/    generated passwords, one file per database role, 0600
//	<data>/log/        output of both servers, bounded in size
//	<data>/run/        who runs: process number and start time, to find what outlived us
//
// Both servers live in process groups of their own, so that Ctrl-C reaches only
// the mesh, which then stops them last and in order. The kernel stops them when
// the mesh is killed; what survives even that is found and stopped by the next
// Start. PostgreSQL listens on a Unix socket only, in a short runtime directory
// (a socket path has room for 107 bytes), and each role can connect to its own
// database only.
package embedded
