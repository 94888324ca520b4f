package httpapi

import (
	"context"
	"fmt"
	"net/http"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/kit"
	"noorderhub.nl/hub/services/journal/api"
	"noorderhub.nl/hub/services/journal/internal/processing"
)

// maxRecords bounds the answer to GET /verwerkingen.
const maxRecords = 1000

// writeProcessing answers 201 once every record is durable (standards LDV-03).
func (h *handlers) writeProcessing(ctx context.Context, in api.ProcessingBatch) (api.Receipt, error) {
	caller, err := allowed(ctx, api.ScopeWrite)
	if err != nil {
		return api.Receipt{}, err
	}
	if n := len(in.Records); n == 0 || n > api.MaxProcessing || in.Cut {
		return api.Receipt{}, errs.CodeInvalid.New("a batch has 1 to %d records in verwerkingen, and nothing else", api.MaxProcessing)
	}
	sender := processing.Sender{OIN: caller.PeerID, Hub: caller.PeerID == h.HubOIN}
	records := make([]processing.Record, len(in.Records))
	var faults []errs.Field
	for i, r := range in.Records {
		records[i] = domainRecord(r)
		faults = append(faults, records[i].Check(fmt.Sprintf("/verwerkingen/%d", i), h.Now())...)
	}
	if faults != nil {
		return api.Receipt{}, errs.CodeInvalid.New("%d fault(s) in the records; none was stored", len(faults)).WithFields(faults...)
	}
	for i := range records {
		if err := records[i].Assign(sender); err != nil {
			return api.Receipt{}, err
		}
		if err := h.Pseudonyms.Apply(&records[i]); err != nil {
			return api.Receipt{}, err
		}
	}
	if err := h.Store.AddProcessing(ctx, records, h.Now()); err != nil {
		return api.Receipt{}, err
	}
	return api.Receipt{Stored: len(records)}, nil
}

type processingQuery struct{ traceID string }

// Decode implements kit's decoder.
func (q *processingQuery) Decode(r *http.Request) error {
	in := kit.NewQuery(r)
	q.traceID = in.String("traceId", kit.Required, kit.Match(traceID, "must be 32 lower-case hex digits"))
	return in.Err()
}

// readProcessing reads the caller's own logbook and no other; the hub operator has no more right than the hub's own.
func (h *handlers) readProcessing(ctx context.Context, q processingQuery) (api.ProcessingBatch, error) {
	caller, err := allowed(ctx, api.ScopeRead)
	if err != nil {
		return api.ProcessingBatch{}, err
	}
	records, err := h.Store.Processing(ctx, caller.PeerID, q.traceID, maxRecords+1)
	if err != nil {
		return api.ProcessingBatch{}, err
	}
	answer := api.ProcessingBatch{Records: []api.ProcessingRecord{}}
	if answer.Cut = len(records) > maxRecords; answer.Cut {
		records = records[:maxRecords]
	}
	for _, r := range records {
		answer.Records = append(answer.Records, wireRecord(r))
	}
	return answer, nil
}
