package api

import (
	"context"

	"github.com/tandem-pay/tandem/shop"
)

func (s *server) mountUsers() {
	add(s, putUser, s.putUser)
	add(s, getUser, s.getUser)
}

// userView is a buyer as clients see it.
type userView struct {
	UserID  string   `json:"userId"`
	Level   string   `json:"level,omitempty"`
	Tags    []string `json:"tags"`
	Blocked bool     `json:"blocked"`
}

func viewUser(u shop.User) userView {
	return userView{UserID: u.ID, Level: u.Level, Tags: orEmpty(u.Tags), Blocked: u.Blocked}
}

const userExample = `{"userId":"u-1001","level":"gold","tags":["early-bird"],"blocked":false}`

// UserPath is the user of a path.
type UserPath struct {
	UserID string `path:"userId" maxLength:"64" example:"u-1001"`
}

var putUser = op{
	call: "PUT /v1/users/{userId}", id: "putUser", tag: "Users", summary: "Say what a user is",
	about: "What is absent is taken back. A blocked user may look at prices and place no orders.",
	body:  `{"level":"gold","tags":["early-bird"]}`, answer: userExample,
}

type putUserInput struct {
	UserPath
	Body struct {
		Level   string   `json:"level,omitempty" maxLength:"64"`
		Tags    []string `json:"tags,omitempty" maxItems:"50" minLength:"1" maxLength:"64"`
		Blocked bool     `json:"blocked,omitempty"`
	} `nameHint:"UserDefinition"`
}

func (s *server) putUser(ctx context.Context, in *putUserInput) (*answer[userView], error) {
	u := shop.User{ID: in.UserID, Level: in.Body.Level, Tags: in.Body.Tags, Blocked: in.Body.Blocked}
	return answerOf(viewUser)(s.app.PutUser(ctx, caller(ctx).Shop, u))
}

var getUser = op{
	call: "GET /v1/users/{userId}", id: "getUser", tag: "Users", summary: "A user",
	about: "One that was never put is a plain user, not missing.", answer: userExample,
}

type getUserInput struct {
	UserPath
	IfNoneMatch
}

func (s *server) getUser(ctx context.Context, in *getUserInput) (*tagged[userView], error) {
	if err := shop.CheckID("userId", in.UserID); err != nil {
		return nil, err
	}
	return taggedOf(in.IfNoneMatch, viewUser)(s.app.Store.UserByID(ctx, caller(ctx).Shop, in.UserID))
}
