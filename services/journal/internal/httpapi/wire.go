package httpapi

import (
	"noorderhub.nl/hub/services/journal/api"
	"noorderhub.nl/hub/services/journal/internal/processing"
	"noorderhub.nl/hub/services/journal/internal/store"
	"noorderhub.nl/hub/services/journal/internal/waterfall"
)

func wireCalls(calls []store.Call) []api.Call {
	out := make([]api.Call, len(calls))
	for i, c := range calls {
		out[i] = wireCall(c)
	}
	return out
}

func wireCall(c store.Call) api.Call {
	r, d := c.Decision, c.Decision.Decision
	call := api.Call{
		TransactionID: r.TransactionID, TraceID: r.TraceID, SpanID: r.SpanID, At: r.At.UTC(),
		Gateway: r.ID.Gateway, Sequence: r.ID.Sequence,
		Permit: d.Permit, Rule: d.Rule, Code: d.Code,
		Consumer: d.Source.OutwayPeerID, Delegator: d.Source.DelegatorPeerID, Provider: d.Destination.ServicePeerID,
		ClientID: d.ClientID, Service: d.Service, ServiceName: d.ServiceName, Operation: d.Operation, Method: d.Method,
		Scopes: d.Scopes, ContractHash: d.ContractHash, GrantHash: d.GrantHash, Purpose: d.Purpose,
		LegalBasis: d.LegalBasis, ProcessingActivity: d.ProcessingActivity, SnapshotVersion: d.SnapshotVersion,
	}
	if c.Outcome != nil {
		o := c.Outcome.Outcome
		call.Ending = &api.Ending{
			Status: o.Status, AnsweredBy: o.AnsweredBy, Code: o.Code, At: c.Outcome.At.UTC(), DurationUS: o.DurationUS,
			UpstreamUS: o.UpstreamUS, RequestBytes: o.RequestBytes, ResponseBytes: o.ResponseBytes,
		}
	}
	return call
}

// wireSpans counts time from the earliest span.
func wireSpans(rows []waterfall.Row) []api.Span {
	out := make([]api.Span, len(rows))
	if len(rows) == 0 {
		return out
	}
	begin := rows[0].Start
	for _, r := range rows {
		begin = min(begin, r.Start)
	}
	for i, r := range rows {
		out[i] = api.Span{
			SpanID: r.ID, ParentID: r.ParentID, Depth: r.Depth, Part: r.Part, Name: r.Name, Kind: r.Kind,
			BeginUS: r.Start - begin, DurationUS: r.End - r.Start, Status: r.Status, Attributes: r.Attributes,
		}
	}
	return out
}

func domainRecord(r api.ProcessingRecord) processing.Record {
	return processing.Record{
		Controller: r.Controller, TraceID: r.TraceID, SpanID: r.SpanID, ParentSpanID: r.ParentSpanID, Status: r.Status,
		Name: r.Name, StartTime: r.StartTime, EndTime: r.EndTime, Resource: r.Resource.Attributes, Attributes: r.Attributes,
	}
}

func wireRecord(r processing.Record) api.ProcessingRecord {
	return api.ProcessingRecord{
		Controller: r.Controller, TraceID: r.TraceID, SpanID: r.SpanID, ParentSpanID: r.ParentSpanID, Status: r.Status,
		Name: r.Name, StartTime: r.StartTime, EndTime: r.EndTime,
		Resource: api.ProcessingResource{Attributes: r.Resource}, Attributes: r.Attributes,
	}
}
