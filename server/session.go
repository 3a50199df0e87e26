package server

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/feature"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/geo/tile"
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
	Crops []Word `json:"crops"`
	// Features are the figures that scores and limits read.
	Features []Word `json:"features"`
	Species  []Word `json:"species"`
	// Goods are what directed money may buy, Units those of their quantities.
	Goods []Word `json:"goods"`
	Units []Word `json:"units"`
	// Products are those that can be asked for on the reader's channel, all of them for the
	// bank's own people; Others are the names of the rest.
	Products []product.Product `json:"products"`
	Others   []Word            `json:"others"`
	Consents consent.Wordings  `json:"consents"` // what a borrower is asked to agree to
}

// channels by which people outside the bank ask for products.
var channels = map[access.Role]product.Channel{access.Borrower: product.Phone, access.Partner: product.API, access.Anchor: product.Portal}

func (s *Server) catalogue(who access.Actor) Catalogue {
	c := Catalogue{Features: featureWords(), Crops: s.deps.Crops, Species: s.deps.Species, Goods: s.deps.Goods, Units: s.deps.Units, Products: s.deps.Products, Others: []Word{}, Consents: s.deps.Wordings}
	channel, bound := channels[who.Role]
	if !bound {
		return c
	}
	c.Products = []product.Product{}
	for _, p := range s.deps.Products {
		if p.Offered(channel) {
			c.Products = append(c.Products, p)
		} else {
			c.Others = append(c.Others, Word{Code: p.Code, ZH: p.Name["zh-CN"], EN: p.Name["en"]})
		}
	}
	return c
}

func featureWords() []Word {
	all := feature.List()
	out := make([]Word, len(all))
	for i, f := range all {
		out[i] = Word{Code: f.Name, ZH: f.ZH, EN: f.EN}
	}
	return out
}

func (s *Server) registerCatalogue(a *route.API) {
	route.Register(a, route.Op{ID: "catalogue", Method: http.MethodGet, Path: "/catalogue", Summary: "Crops, species and products", Tag: "catalogue"},
		func(_ context.Context, who access.Actor, _ *struct{}) (*route.Body[Catalogue], error) {
			return route.Answer(s.catalogue(who), nil)
		})
	route.Register(a, route.Op{ID: "contract-keys", Method: http.MethodGet, Path: "/contract-keys", Summary: "The public keys with which the house signs contracts", Tag: "catalogue"},
		func(ctx context.Context, who access.Actor, _ *struct{}) (*route.Body[[]apply.HouseKey], error) {
			return route.Answer(s.deps.Desk.Keys(ctx, who.Tenant))
		})
	route.Register(a, route.Op{ID: "legend", Method: http.MethodGet, Path: "/legends/{layer}", Summary: "What the colours of a map layer mean", Tag: "map"},
		func(_ context.Context, _ access.Actor, in *struct {
			Layer tile.Layer `path:"layer" maxLength:"20"`
		}) (*route.Body[[]tile.Entry], error) {
			if s.deps.Tiles == nil {
				return nil, route.ErrPartAbsent.With("part", "tiles")
			}
			return route.Answer(s.deps.Tiles.Legend(in.Layer))
		})
	route.Register(a, route.Op{ID: "tile", Method: http.MethodGet, Path: "/tiles/{layer}/{item}/{z}/{x}/{y}", Summary: "A map tile of a scene: truecolor or ndvi", Tag: "map"}, s.sceneTile)
	route.Register(a, route.Op{ID: "officer-tile", Method: http.MethodGet, Path: "/officer/tiles/{layer}/{item}/{z}/{x}/{y}", Summary: "A map tile of plots on the date of a scene: crop, growth or hazard", Tag: "map"}, s.plotTile)
}

type tileIn struct {
	Layer tile.Layer `path:"layer" maxLength:"20" doc:"truecolor, ndvi; for officers crop, growth, hazard"`
	Item  string     `path:"item" maxLength:"200" doc:"id of a scene"`
	Z     int        `path:"z" minimum:"0" maximum:"22"`
	X     int        `path:"x" minimum:"0"`
	Y     string     `path:"y" pattern:"^[0-9]{1,7}(\\.(png|webp))?$" doc:"row; its ending chooses the format, PNG without one"`
}

type tileOut struct {
	Type  string `header:"Content-Type"`
	Cache string `header:"Cache-Control"`
	Body  []byte
}

// sceneTile draws the pixels of a scene, which never change under its id.
func (s *Server) sceneTile(ctx context.Context, _ access.Actor, in *tileIn) (*tileOut, error) {
	if in.Layer != tile.TrueColor && in.Layer != tile.NDVI {
		return nil, tile.ErrLayer.With("layer", string(in.Layer))
	}
	return s.tile(ctx, "", in, "private, max-age=86400, immutable")
}

// plotTile paints the plots of the tenant, which only the bank may see together.
func (s *Server) plotTile(ctx context.Context, who access.Actor, in *tileIn) (*tileOut, error) {
	if in.Layer == tile.TrueColor || in.Layer == tile.NDVI {
		return nil, tile.ErrLayer.With("layer", string(in.Layer))
	}
	return s.tile(ctx, who.Tenant, in, "private, max-age=60")
}

func (s *Server) tile(ctx context.Context, tenant string, in *tileIn, cache string) (*tileOut, error) {
	if s.deps.Tiles == nil {
		return nil, route.ErrPartAbsent.With("part", "tiles")
	}
	row, format, _ := strings.Cut(in.Y, ".")
	y, _ := strconv.Atoi(row) // the pattern holds
	if format == "" {
		format = string(tile.PNG)
	}
	body, err := s.deps.Tiles.Draw(ctx, tile.Request{
		Tenant: tenant, Layer: in.Layer, Item: in.Item, Format: tile.Format(format), Z: in.Z, X: in.X, Y: y,
	})
	if err != nil {
		return nil, err
	}
	return &tileOut{"image/" + format, cache, body}, nil
}
