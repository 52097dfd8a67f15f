package ledger

import (
	"context"

	"quietline/services/ledger/format"
	"quietline/services/ledger/store"
)

// beside lists what changed of licences, contracts or sublets: what the ledger states, or withdrew.
func (l changeLister) beside(ctx context.Context, part string, after *behind, size int32) ([]monthChange, error) {
	arg := store.ListLicenceStatementsParams{
		MonthFrom: l.from, MonthTo: l.to, AfterTime: after.at, AfterID: after.id, AccessOperatorID: l.operator, SeesAll: l.all,
		AgencyID: l.agency, PageSize: size,
	}
	switch part {
	case "ls":
		rows, err := l.q.ListLicenceStatements(ctx, arg)
		return entered(format.AboutLicence, rows, err)
	case "cs":
		rows, err := l.q.ListContractStatements(ctx, store.ListContractStatementsParams(arg))
		return entered(format.AboutContract, rows, err)
	case "ts":
		rows, err := l.q.ListSubletStatements(ctx, store.ListSubletStatementsParams(arg))
		return entered(format.AboutSublet, rows, err)
	case "lw":
		rows, err := l.q.ListLicenceWithdrawals(ctx, store.ListLicenceWithdrawalsParams(arg))
		return withdrawn(format.AboutLicence, rows, err)
	case "cw":
		rows, err := l.q.ListContractWithdrawals(ctx, store.ListContractWithdrawalsParams(arg))
		return withdrawn(format.AboutContract, rows, err)
	}
	rows, err := l.q.ListSubletWithdrawals(ctx, store.ListSubletWithdrawalsParams(arg))
	return withdrawn(format.AboutSublet, rows, err)
}

type (
	enteredRow interface {
		store.ListLicenceStatementsRow | store.ListContractStatementsRow | store.ListSubletStatementsRow
	}
	withdrawnRow interface {
		store.ListLicenceWithdrawalsRow | store.ListContractWithdrawalsRow | store.ListSubletWithdrawalsRow
	}
)

func entered[R enteredRow](about string, rows []R, err error) ([]monthChange, error) {
	var out []monthChange
	for _, row := range rows {
		r := store.ListLicenceStatementsRow(row)
		c := monthChange{change: changeChanged, about: about, row: r.ID, effect: r.ValidFrom, known: r.KnownFrom, next: r.ID}
		switch {
		case r.FirstKnown:
			c.change = changeEntered
		case r.Shortened:
			c.change, c.effect = changeEnded, *r.ValidTo
		}
		out = append(out, c)
	}
	return out, err
}

func withdrawn[R withdrawnRow](about string, rows []R, err error) ([]monthChange, error) {
	var out []monthChange
	for _, row := range rows {
		r := store.ListLicenceWithdrawalsRow(row)
		out = append(out, monthChange{change: changeWithdrawn, about: about, row: r.ID, effect: r.ValidFrom, known: *r.KnownTo, next: r.ID})
	}
	return out, err
}

// statedBeside adds what licences, contracts and sublets state, in the columns of a load.
func (l changeLister) statedBeside(ctx context.Context, ids map[string][]string, to map[string]statement) error {
	licences, err := l.q.LicencesToTell(ctx, list(ids[format.AboutLicence]))
	if err != nil {
		return err
	}
	for _, r := range licences {
		k := licenceSays(r.Licence, r.Holder.CreditCode)
		k.says[format.Holder] = r.Holder.Name
		to[k.id] = statement{fields: k.says}
	}
	contracts, err := l.q.ContractsToTell(ctx, list(ids[format.AboutContract]))
	if err != nil {
		return err
	}
	for _, r := range contracts {
		k := contractSays(r.Contract)
		k.says[format.Scheme], k.says[format.First], k.says[format.Last] = r.Scheme, digitsOf(r.Digits, r.FirstNumber), digitsOf(r.Digits, r.LastNumber)
		to[k.id] = statement{k.says, r.Contract.ResourceID}
	}
	sublets, err := l.q.SubletsToTell(ctx, list(ids[format.AboutSublet]))
	if err != nil {
		return err
	}
	for _, r := range sublets {
		k := subletSays(r.Sublet)
		k.says[format.Scheme], k.says[format.Holder], k.says[format.CreditCode] = r.Scheme, r.Holder.Name, r.Holder.CreditCode
		k.says[format.SubHolder], k.says[format.SubCode] = r.Lessee, r.LesseeCode
		to[k.id] = statement{k.says, r.Sublet.ResourceID}
	}
	return nil
}
