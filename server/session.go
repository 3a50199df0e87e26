package server

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/server/route"
)

type signInIn struct {
	Body struct {
		Login    string `json:"login" maxLength:"256"`
		Password string `json:"password" maxLength:"1024"`
	}
}

// SignedIn is a new session. The token is for systems that send it as a bearer
// token; browsers hold it in a cookie that scripts cannot read.
type SignedIn struct {
	Token string      `json:"token"`
	User  access.User `json:"user"`
}

type signInOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      SignedIn
}

// Myself is who holds the session.
type Myself struct {
	User access.User `json:"user"`
}

func (s *Server) cookie(value string, maxAge int) http.Cookie {
	return http.Cookie{
		Name: route.Cookie, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: s.deps.TLS,
	}
}

func (s *Server) registerSession(a *route.API) {
	route.Register(a, route.Op{ID: "session-create", Method: http.MethodPost, Path: "/session", Summary: "Sign in", Tag: "session"},
		func(ctx context.Context, _ access.Actor, in *signInIn) (*signInOut, error) {
			token, user, err := s.deps.Gate.SignIn(ctx, in.Body.Login, in.Body.Password)
			if err != nil {
				return nil, err
			}
			return &signInOut{s.cookie(token, int(access.SessionFor.Seconds())), SignedIn{token, user}}, nil
		})
	route.Register(a, route.Op{ID: "session", Method: http.MethodGet, Path: "/session", Summary: "Who am I", Tag: "session"},
		func(ctx context.Context, who access.Actor, _ *struct{}) (*route.Body[Myself], error) {
			u, err := s.deps.Gate.User(ctx, who.Tenant, who.UserID)
			return route.Answer(Myself{u}, err)
		})
	route.Register(a, route.Op{ID: "session-end", Method: http.MethodDelete, Path: "/session", Summary: "Sign out", Tag: "session", Status: http.StatusNoContent},
		func(ctx context.Context, _ access.Actor, in *struct {
			Authorization string `header:"Authorization" hidden:"true"`
			Cookie        string `cookie:"furrow_session"`
		}) (*struct {
			SetCookie http.Cookie `header:"Set-Cookie"`
		}, error) {
			token, ok := strings.CutPrefix(in.Authorization, "Bearer ")
			if !ok {
				token = in.Cookie
			}
			out := &struct {
				SetCookie http.Cookie `header:"Set-Cookie"`
			}{s.cookie("", -1)}
			return out, s.deps.Gate.SignOut(ctx, token)
		})
}

// Word is a code with its names.
type Word struct {
	Code string `json:"code"`
	ZH   string `json:"zh"`
	EN   string `json:"en"`
}

// Catalogue is what the faces offer to choose from.
type Catalogue struct {
	Crops    []Word            `json:"crops"`
	Species  []Word            `json:"species"`
	Products []product.Product `json:"products"`
}

func (s *Server) registerCatalogue(a *route.API) {
	route.Register(a, route.Op{ID: "catalogue", Method: http.MethodGet, Path: "/catalogue", Summary: "Crops, species and products", Tag: "catalogue"},
		func(context.Context, access.Actor, *struct{}) (*route.Body[Catalogue], error) {
			return route.Answer(Catalogue{s.deps.Crops, s.deps.Species, s.deps.Products}, nil)
		})
	route.Register(a, route.Op{ID: "tile", Method: http.MethodGet, Path: "/tiles/{layer}/{item}/{z}/{x}/{y}", Summary: "A map tile, PNG; y may end in .png", Tag: "map"}, s.tile)
}

type tileIn struct {
	Layer string `path:"layer" doc:"truecolor or ndvi"`
	Item  string `path:"item" maxLength:"200" doc:"id of a scene"`
	Z     int    `path:"z" minimum:"0" maximum:"22"`
	X     int    `path:"x" minimum:"0"`
	Y     string `path:"y" pattern:"^[0-9]{1,7}(\\.png)?$"`
}

type tileOut struct {
	Type  string `header:"Content-Type"`
	Cache string `header:"Cache-Control"`
	Body  []byte
}

func (s *Server) tile(ctx context.Context, _ access.Actor, in *tileIn) (*tileOut, error) {
	y, _ := strconv.Atoi(strings.TrimSuffix(in.Y, ".png")) // the pattern holds
	if s.deps.Tiles == nil {
		return nil, route.ErrPartAbsent.With("part", "tiles")
	}
	b, err := s.deps.Tiles.PNG(ctx, in.Layer, in.Item, in.Z, in.X, y)
	if err != nil {
		return nil, err
	}
	// A scene never changes under its id.
	return &tileOut{"image/png", "private, max-age=86400, immutable", b}, nil
}
