package enforcement

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/identity"
	"quietline/internal/pg"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// ListConsistency lists decided fines, newest first, beside their band and like cases: those of the own agency, or all for
// the lead. Like cases count across agencies; none of them is shown.
func (s *Server) ListConsistency(ctx context.Context, req *enforcementv1.ListConsistencyRequest) (*enforcementv1.ListConsistencyResponse, error) {
	arg := store.ListFinesParams{
		SeesAll: seesAll(ctx), AgencyID: identity.ActorOf(ctx).GetAgencyId(), Act: req.GetAct(), PageSize: pg.PageSize(req.GetPageSize()),
	}
	if err := after(&arg, req.GetPageToken()); err != nil {
		return nil, err
	}
	rows, err := store.New(s.db).ListFines(ctx, arg)
	if err != nil {
		return nil, err
	}
	resp := &enforcementv1.ListConsistencyResponse{}
	for _, r := range rows {
		if f := consistent(r); f.GetOutlier() || !req.GetOutliers() {
			resp.Fines = append(resp.Fines, f)
		}
	}
	if len(rows) == int(arg.PageSize) {
		last := rows[len(rows)-1]
		resp.NextPageToken = pg.EncodeToken(pg.TimeToken(last.DecidedTime, last.CaseID), strconv.Itoa(int(last.Seq)))
	}
	return resp, nil
}

// after reads where the next page begins.
func after(arg *store.ListFinesParams, token string) error {
	parts, err := pg.DecodeToken(token, 2) //nolint:mnd // time and case, and the number of the penalty
	if err != nil || parts == nil {
		return err
	}
	at, id, ok, err := pg.DecodeTimeToken(parts[0])
	if err != nil {
		return err
	}
	seq, err := strconv.ParseInt(parts[1], 10, 32)
	if err != nil || !ok || uuid.Validate(id) != nil {
		return badToken()
	}
	arg.BeforeTime, arg.BeforeID, arg.BeforeSeq = &at, &id, int32(seq)
	return nil
}

func consistent(r store.ListFinesRow) *enforcementv1.ConsistentFine {
	outlier, words := weigh(r)
	return &enforcementv1.ConsistentFine{
		CaseId: r.CaseID, AgencyId: r.AgencyID, Act: r.Act, PenaltyCode: r.PenaltyCode, Subject: r.Subject, Province: r.Province,
		GainsBracket: r.Bracket, Fine: money(r.AmountFen), BandLow: money(r.BandLowFen), BandHigh: money(r.BandHighFen),
		Median: money(r.Median), Alike: int32(r.Alike), AlikeInProvince: int32(r.AlikeInProvince), Outlier: outlier, Words: words,
		DecidedTime: timestamppb.New(r.DecidedTime),
	}
}

// Policies of the view: from how many like cases on a median says anything, and how many times it may be missed.
const (
	enoughAlike = 5
	farOff      = 2
)

// weigh says whether a fine stands out, and why, for its agency to read. It is a hint and nothing else.
func weigh(r store.ListFinesRow) (bool, string) {
	var why []string
	switch {
	case r.AmountFen > r.BandHighFen:
		why = append(why, fmt.Sprintf("高于裁量档次上限 %s", yuanInChinese(r.BandHighFen)))
	case r.AmountFen < r.BandLowFen:
		why = append(why, fmt.Sprintf("低于裁量档次下限 %s", yuanInChinese(r.BandLowFen)))
	}
	if len(why) > 0 && r.Reason != "" {
		why = append(why, "理由:"+r.Reason)
	}
	if r.Alike >= enoughAlike {
		switch {
		case r.AmountFen > farOff*r.Median:
			why = append(why, fmt.Sprintf("同类 %d 件的中位数为 %s,本件为其 %s 倍", r.Alike, yuanInChinese(r.Median), ratio(r.AmountFen, r.Median)))
		case farOff*r.AmountFen < r.Median:
			why = append(why, fmt.Sprintf("同类 %d 件的中位数为 %s,本件仅为其 %s 倍", r.Alike, yuanInChinese(r.Median), ratio(r.AmountFen, r.Median)))
		}
	}
	if len(why) > 0 {
		return true, fmt.Sprintf("罚款 %s:%s", yuanInChinese(r.AmountFen), strings.Join(why, ";"))
	}
	within := "在裁量档次之内"
	if r.Grade == "" { // nobody published any for that agency (行政处罚法 34)
		within = "在法定幅度之内,该部门没有公布的裁量基准"
	}
	if r.Alike < enoughAlike {
		return false, fmt.Sprintf("罚款 %s %s;同类仅 %d 件,不足以比较", yuanInChinese(r.AmountFen), within, r.Alike)
	}
	return false, fmt.Sprintf("罚款 %s %s,与同类 %d 件相当(中位数 %s)", yuanInChinese(r.AmountFen), within, r.Alike, yuanInChinese(r.Median))
}

func ratio(a, b int64) string { return strconv.FormatFloat(float64(a)/float64(b), 'f', 1, 64) }

func yuanInChinese(fen int64) string {
	return strings.TrimSuffix(strings.TrimSuffix(fmt.Sprintf("%d.%02d", fen/100, fen%100), "0"), ".0") + " 元" //nolint:mnd // fen
}
