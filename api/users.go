package api

import (
	"context"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/shop"
)

func (s *server) mountUsers() {
	rest.Add(s.rest, putUser, s.putUser)
	rest.Add(s.rest, getUser, s.getUser)
}

// userView is a buyer as clients see it.
type userView struct {
	UserID  string   `json:"userId"`
	Level   string   `json:"level,omitempty"`
	Tags    []string `json:"tags"`
	Blocked bool     `json:"blocked"`
}

func viewUser(u shop.User) userView {
	return userView{UserID: u.ID, Level: u.Level, Tags: rest.OrEmpty(u.Tags), Blocked: u.Blocked}
}

const userExample = `{"userId":"u-1001","level":"gold","tags":["early-bird"],"blocked":false}`

// UserPath is the user of a path.
type UserPath struct {
	UserID string `path:"userId" maxLength:"64" example:"u-1001"`
}

var putUser = rest.Operation{
	Route: "PUT /v1/users/{userId}", ID: "putUser", Tag: "Users", Summary: "Store a user",
	Details: "It replaces the user: what is absent is removed. A blocked user can get quotes and cannot place orders.",
	Request: `{"level":"gold","tags":["early-bird"]}`, Response: userExample,
}

type putUserInput struct {
	UserPath
	Body struct {
		Level   string   `json:"level,omitempty" maxLength:"64"`
		Tags    []string `json:"tags,omitempty" maxItems:"50" minLength:"1" maxLength:"64"`
		Blocked bool     `json:"blocked,omitempty"`
	} `nameHint:"UserDefinition"`
}

func (s *server) putUser(ctx context.Context, in *putUserInput) (*rest.Answer[userView], error) {
	u := shop.User{ID: in.UserID, Level: in.Body.Level, Tags: in.Body.Tags, Blocked: in.Body.Blocked}
	return rest.AnswerOf(viewUser)(s.app.PutUser(ctx, caller(ctx).Shop, u))
}

var getUser = rest.Operation{
	Route: "GET /v1/users/{userId}", ID: "getUser", Tag: "Users", Summary: "A user",
	Details: "One that was never stored is found too, without level and tags.", Response: userExample,
}

type getUserInput struct {
	UserPath
	rest.IfNoneMatch
}

func (s *server) getUser(ctx context.Context, in *getUserInput) (*rest.Tagged[userView], error) {
	if err := shop.CheckID("userId", in.UserID); err != nil {
		return nil, err
	}
	return rest.TaggedOf(in.IfNoneMatch, viewUser)(s.app.Store.UserByID(ctx, caller(ctx).Shop, in.UserID))
}
