package push

import (
	"errors"

	"github.com/tandem-pay/tandem/fault"
)

// received is a client's message as it was read, or what is wrong with it: a
// fault, or a closing.
type received struct {
	request *request
	err     error
}

// serve handles a message. Its error ends the socket; a refusal
// is answered.
func (s *subscriber) serve(a received) error {
	err := a.err
	if err == nil {
		err = s.do(a.request)
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	no := answer{Type: "error", Code: string(f.Code), Detail: f.Message}
	if a.request != nil {
		no.Order, no.User, no.Shop = a.request.Order, a.request.User, a.request.Shop
	}
	if err := s.say(no, 0); err != nil {
		return err
	}
	if f.Kind() >= fault.KindInternal {
		s.hub.o.Log.WarnContext(s.ctx, "push could not serve a request", "shop", s.who.Shop, "error", f)
		return nil // not the client's doing
	}
	if s.refused++; s.refused >= maxErrors {
		return errBadMessages
	}
	return nil
}

func (s *subscriber) do(q *request) error {
	if q.Type == "auth" {
		if s.token != "" {
			return fault.New(fault.ValidationFailed, "this socket is authenticated already")
		}
		if err := s.authenticate(q.Token); err != nil {
			return err
		}
		return s.say(answer{Type: "authenticated"}, 0)
	}
	if s.token == "" {
		return errNoAuth
	}
	if q.Type == "unsubscribe" {
		s.unsubscribe(q)
		return s.say(answer{Type: "unsubscribed", Order: q.Order, User: q.User, Shop: q.Shop}, 0)
	}
	switch {
	case q.Order != "":
		return s.subscribeOrder(q.Order, q.seq)
	case q.User != "" || q.Shop:
		return s.subscribeLog(q.User, q.place)
	case s.who.Order != "":
		return s.subscribeOrder(s.who.Order, q.seq)
	}
	return fault.New(fault.ValidationFailed, "name one of orderNo, userId and shop")
}

// authenticate finds out whose socket it is; its error is a closing.
func (s *subscriber) authenticate(token string) error {
	who, err := s.hub.o.Auth.Authenticate(s.ctx, token)
	switch {
	case fault.Is(err, fault.Unauthorized):
		return errToken
	case err != nil:
		s.hub.o.Log.WarnContext(s.ctx, "push cannot look up a key", "error", err)
		return errStore
	}
	s.who, s.token = who, token
	if s.late != nil {
		s.late.Stop()
	}
	return nil
}
