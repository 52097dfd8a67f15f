package store

import "context"

// EachOfPopulation is ListPopulation row by row, for populations that are not to be in memory at once.
func (q *Queries) EachOfPopulation(ctx context.Context, arg ListPopulationParams, each func(ListPopulationRow)) error {
	rows, err := q.db.Query(ctx, listPopulation, arg.After, arg.AsOf, arg.KnownAt, arg.Sectors, arg.CallCentres, arg.Purposes,
		arg.Provinces, arg.Operators, arg.PageSize)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var i ListPopulationRow
		if err := rows.Scan(&i.ResourceID, &i.AllocationID, &i.HolderID, &i.Scheme, &i.Digits, &i.FirstNumber, &i.LastNumber,
			&i.AccessOperatorID, &i.AccessProvince); err != nil {
			return err
		}
		each(i)
	}
	return rows.Err()
}
