package phone

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/nyaruka/phonenumbers"
	"google.golang.org/protobuf/proto"

	commonv1 "quietline/proto/quietline/common/v1"
)

// How the place of a number is known (归属地依据).
const (
	BasisArea     = "area_code" // by its area code
	BasisSegment  = "segment"   // place data of the first seven digits (号段归属地)
	BasisInferred = "inferred"  // from the way segments are given out; may be wrong
)

// SureProvince is the province of a number for those who act on it: none where it was only inferred, which is wrong for one
// number in ten or so.
func SureProvince(n *commonv1.Number) string {
	if n.GetPlaceBasis() == BasisInferred {
		return ""
	}
	return n.GetProvince()
}

// A place is a province (GB/T 2260 code) and a city (short name).
type place struct{ province, city string }

// Mobile numbers are given out in blocks of 10,000 numbers: 1300000 to 1999999 by their first seven digits.
const firstBlock, blocks = 1300000, 700000

// What is known of a block: how, and an index of places.
const (
	unasked  = 0
	nowhere  = 1
	known    = 1 << 16
	inferred = 2 << 16
	indexOf  = 1<<16 - 1
)

// places holds every place once and remembers for each block of mobile numbers where it is: place data is asked once a
// block, which costs a hundred times a look into the table. Readers take no lock.
type places struct {
	codes  map[string]string // short name of a province -> code
	list   atomic.Pointer[[]place]
	blocks [blocks]atomic.Uint32

	mu    sync.Mutex
	index map[place]uint32
}

func newPlaces(codes map[string]string) *places {
	p := &places{codes: codes, index: map[place]uint32{{}: 0}}
	p.list.Store(&[]place{{}})
	return p
}

func (p *places) at(i uint32) place { return (*p.list.Load())[i&indexOf] }

// add enters a place by the short name of its province, or finds it.
func (p *places) add(province, city string) uint32 {
	return p.enter(place{province: p.codes[province], city: city})
}

func (p *places) enter(where place) uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, ok := p.index[where]
	if !ok {
		list := append(slices.Clone(*p.list.Load()), where)
		i = uint32(len(list) - 1)
		p.index[where] = i
		p.list.Store(&list)
	}
	return i
}

// ofMobile is the place of a mobile number and how it is known.
func (p *places) ofMobile(d string) (place, string) {
	block := 0
	for i := range 7 {
		block = block*10 + int(d[i]-'0')
	}
	slot := &p.blocks[block-firstBlock]
	v := slot.Load()
	if v == unasked {
		v = p.ask(d[:7])
		slot.Store(v)
	}
	switch {
	case v&known != 0:
		return p.at(v), BasisSegment
	case v&inferred != 0:
		return p.at(v), BasisInferred
	}
	return place{}, ""
}

// ask looks a block up in the place data of libphonenumber, then in the ways in which segments are given out.
func (p *places) ask(block string) uint32 {
	n := &phonenumbers.PhoneNumber{CountryCode: proto.Int32(86), NationalNumber: new(uint64(number(block)) * 10000)}
	if name, err := phonenumbers.GetGeocodingForNumber(n, "zh"); err == nil {
		if where := p.named(name); where.province != "" {
			return known | p.enter(where)
		}
	}
	if i := infer(block); i != 0 {
		return inferred | i
	}
	return nowhere
}

// infer follows how segments are given out: a network's digit 0 and then the area code (1 96 0 736 is Changde's 0736), or
// the area code at once; or all of a segment is registered at one place. What is not an area code, but stands among those
// of one province, is in that province.
func infer(block string) uint32 {
	how := plan.inferred[number(block[:4])]
	switch how.rule {
	case "place":
		return how.place
	case "trunk":
		return areaIn(block[4:7])
	case "areas":
		return areaIn(block[3:6])
	}
	return 0
}

func areaIn(digits string) uint32 {
	d := "0" + digits
	if a, ok := plan.areas[d[:areaLength(d)]]; ok {
		return a.place
	}
	return plan.around[d[:3]]
}

// named reads a place of the geodata: 湖北省恩施土家族苗族自治州 is 湖北, 恩施; 安徽省合肥市、巢湖市 is 安徽, 合肥.
func (p *places) named(name string) place {
	for _, n := range []int{6, 9} { // two or three characters of three bytes
		if len(name) < n {
			continue
		}
		if code, ok := p.codes[name[:n]]; ok {
			return place{province: code, city: cityOf(name[:n], name[n:])}
		}
	}
	return place{}
}

// peoples stand in the names of autonomous prefectures and are left out of the short ones.
var peoples = []string{"土家族", "苗族", "白族", "傣族", "景颇族", "傈僳族", "藏族", "羌族", "彝族", "哈尼族", "壮族", "布依族", "侗族",
	"回族", "蒙古族", "蒙古", "哈萨克", "朝鲜族", "柯尔克孜"}

var renamed = map[string]string{"襄樊": "襄阳", "思茅": "普洱"}

// cityOf shortens the name of a city; a municipality is its own city.
func cityOf(province, rest string) string {
	rest, _, _ = strings.Cut(rest, "、")
	rest = strings.TrimPrefix(rest, "省")
	rest = strings.TrimPrefix(rest, "市")
	if rest == "" {
		for _, m := range []string{"北京", "天津", "上海", "重庆"} {
			if strings.HasPrefix(province, m) {
				return m
			}
		}
		return ""
	}
	if name, ok := strings.CutSuffix(rest, "自治州"); ok {
		for again := true; again; {
			again = false
			for _, people := range peoples {
				if short, ok := strings.CutSuffix(name, people); ok && short != "" {
					name, again = short, true
				}
			}
		}
		return name
	}
	rest = strings.TrimSuffix(strings.TrimSuffix(rest, "地区"), "市")
	if name, ok := renamed[rest]; ok {
		return name
	}
	return rest
}

// LoadPlacesFile is LoadPlaces of a file; without a name it does nothing.
func LoadPlacesFile(name string) error {
	if name == "" {
		return nil
	}
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("table of segments: %w", err)
	}
	defer func() { _ = f.Close() }()
	_, err = LoadPlaces(f)
	return err
}

// LoadPlaces reads a table of segments (号段归属地表) as operators and registries publish it and puts it before the built-in
// place data: CSV in UTF-8 with a header; column prefix (seven digits), province and city, or 号段, 省份 and 城市. It is
// for the start of a program; what it does not have, the built-in data answers.
func LoadPlaces(r io.Reader) (int, error) {
	in := csv.NewReader(r)
	in.ReuseRecord, in.FieldsPerRecord = true, -1
	header, err := in.Read()
	if err != nil {
		return 0, fmt.Errorf("table of segments: %w", err)
	}
	at := columns(header)
	if len(at) < 3 {
		return 0, errors.New("table of segments: needs columns prefix, province and city (号段、省份、城市)")
	}
	rows := 0
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, fmt.Errorf("table of segments: %w", err)
		}
		if len(row) != len(header) {
			return rows, fmt.Errorf("table of segments: row %d has %d columns, the header %d", rows+2, len(row), len(header))
		}
		if err := plan.places.set(row[at["prefix"]], row[at["province"]], row[at["city"]]); err != nil {
			return rows, fmt.Errorf("table of segments: row %d: %w", rows+2, err)
		}
		rows++
	}
}

// columns finds the columns by either name.
func columns(header []string) map[string]int {
	at := map[string]int{}
	for i, name := range header {
		switch strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))) {
		case "prefix", "号段", "手机号段":
			at["prefix"] = i
		case "province", "省份", "省":
			at["province"] = i
		case "city", "城市", "市":
			at["city"] = i
		}
	}
	return at
}

// set puts one block's place into the table.
func (p *places) set(prefix, province, city string) error {
	if len(prefix) != 7 || strings.Trim(prefix, "0123456789") != "" || prefix < "1300000" {
		return errors.New("the prefix is not seven digits from 1300000 to 1999999")
	}
	where := p.named(province)
	if where.province == "" {
		return errors.New("no such province")
	}
	where.city = cityOf(province, city)
	p.blocks[number(prefix)-firstBlock].Store(known | p.enter(where))
	return nil
}
