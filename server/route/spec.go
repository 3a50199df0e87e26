package route

import (
	"encoding/json"
	"io"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// Spec returns the OpenAPI 3.1 description of every registered operation as YAML.
func (a *API) Spec() ([]byte, error) { return a.huma.OpenAPI().YAML() }

// Seal ends registration: it drops what only the framework needs from the
// description and says that lists are never null, which [jsonFormat] keeps true.
func (a *API) Seal() {
	schemas := a.huma.OpenAPI().Components.Schemas.Map()
	delete(schemas, "ErrorModel")
	delete(schemas, "ErrorDetail")
	delete(schemas, "FormFile")
	for _, s := range schemas {
		notNull(s)
	}
	for _, path := range a.huma.OpenAPI().Paths {
		for _, op := range []*huma.Operation{path.Get, path.Post, path.Put, path.Delete} {
			if op == nil {
				continue
			}
			for _, p := range op.Parameters {
				notNull(p.Schema)
			}
		}
	}
}

func notNull(s *huma.Schema) {
	if s == nil {
		return
	}
	if s.Type == huma.TypeArray {
		s.Nullable = false
	}
	notNull(s.Items)
	for _, p := range s.Properties {
		notNull(p)
	}
	if p, ok := s.AdditionalProperties.(*huma.Schema); ok {
		notNull(p)
	}
}

func (a *API) problemResponse() *huma.Response {
	return &huma.Response{
		Description: "Problem",
		Content: map[string]*huma.MediaType{
			problemType: {Schema: a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "")},
		},
	}
}

// schemaNames gives each type a name of its own: where [schemaName] names two types alike,
// the later one has its package in front, or, where that is taken or it has none, a number
// behind.
func schemaNames() func(reflect.Type, string) string {
	taken := map[string]reflect.Type{}
	return func(t reflect.Type, hint string) string {
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		name := schemaName(t, hint)
		if t.Kind() != reflect.Struct {
			return name // written where it is used
		}
		mine := func(n string) bool { return taken[n] == nil || taken[n] == t }
		if !mine(name) && t.PkgPath() != "" {
			name = upper(t.PkgPath()[strings.LastIndex(t.PkgPath(), "/")+1:]) + name
		}
		for base, n := name, 2; !mine(name); n++ {
			name = base + strconv.Itoa(n)
		}
		taken[name] = t
		return name
	}
}

// schemaName names the schema of a type by its own name. What a face defines has the
// face in front (OfficerHome, FarmerHome), and so have the two kinds of Entry.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Name() == "" {
		return huma.DefaultSchemaNamer(t, hint)
	}
	// List[github.com/furrowcredit/furrow/server/officer.PlotLine] has two parts.
	full := t.Name()
	if path := t.PkgPath(); path != "" {
		full = path + "." + full
	}
	var name strings.Builder
	for _, part := range strings.FieldsFunc(full, func(r rune) bool { return strings.ContainsRune("[]*,", r) }) {
		path, base := "", part
		if i := strings.LastIndex(part, "."); i >= 0 {
			path, base = part[:i], part[i+1:]
		}
		dir, room := "", path
		if i := strings.LastIndex(path, "/"); i >= 0 {
			dir, room = path[:i], path[i+1:]
		}
		switch {
		case strings.HasSuffix(dir, "/server") && room != "route" && room != "view":
			name.WriteString(upper(room))
		case base == "Entry" && room == "access":
			name.WriteString("Audit")
		case base == "Entry" && room == "ledger":
			name.WriteString("Ledger")
		case room == "purchase" || room == "pay":
			name.WriteString(upper(room))
		}
		name.WriteString(upper(base))
	}
	return name.String()
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// jsonFormat writes nil lists as [] and nil maps as {}, as the description says.
var jsonFormat = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		return e.Encode(Filled(v))
	},
	Unmarshal: json.Unmarshal,
}

// Filled returns v with every nil slice and map in it made empty. What v shares with
// others is copied before it is changed.
func Filled(v any) any {
	if v == nil {
		return nil
	}
	out, _ := filled(reflect.ValueOf(v))
	return out.Interface()
}

func filled(v reflect.Value) (reflect.Value, bool) {
	s := shapeOf(v.Type())
	if !s.hollow {
		return v, false
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v, false
		}
		e, changed := filled(v.Elem())
		if !changed {
			return v, false
		}
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(e)
		return p, true
	case reflect.Interface:
		if v.IsNil() {
			return v, false
		}
		e, changed := filled(v.Elem())
		if !changed {
			return v, false
		}
		n := reflect.New(v.Type()).Elem()
		n.Set(e)
		return n, true
	case reflect.Struct:
		out, copied := v, false
		for _, i := range s.fields {
			f, changed := filled(v.Field(i))
			if !changed {
				continue
			}
			if !copied {
				out, copied = reflect.New(v.Type()).Elem(), true
				out.Set(v)
			}
			out.Field(i).Set(f)
		}
		return out, copied
	case reflect.Slice:
		if v.IsNil() {
			return reflect.MakeSlice(v.Type(), 0, 0), true
		}
		if !shapeOf(v.Type().Elem()).hollow {
			return v, false
		}
		out, copied := v, false
		for i := range v.Len() {
			e, changed := filled(v.Index(i))
			if !changed {
				continue
			}
			if !copied {
				out, copied = reflect.MakeSlice(v.Type(), v.Len(), v.Len()), true
				reflect.Copy(out, v)
			}
			out.Index(i).Set(e)
		}
		return out, copied
	case reflect.Map:
		if v.IsNil() {
			return reflect.MakeMap(v.Type()), true
		}
		if !shapeOf(v.Type().Elem()).hollow {
			return v, false
		}
		out, copied := v, false
		for _, k := range v.MapKeys() {
			e, changed := filled(v.MapIndex(k))
			if !changed {
				continue
			}
			if !copied {
				out, copied = reflect.MakeMapWithSize(v.Type(), v.Len()), true
				for it := v.MapRange(); it.Next(); {
					out.SetMapIndex(it.Key(), it.Value())
				}
			}
			out.SetMapIndex(k, e)
		}
		return out, copied
	default:
		return v, false
	}
}

// shape is what filled needs to know of a type.
type shape struct {
	hollow bool
	fields []int // of a struct: those that are hollow
}

// shapes remembers what reflection told of types: it is asked for every answer.
var shapes sync.Map // of shape by reflect.Type

func shapeOf(t reflect.Type) shape {
	if s, ok := shapes.Load(t); ok {
		return s.(shape)
	}
	s := shape{hollow: hollow(t, 0)}
	if t.Kind() == reflect.Struct && s.hollow {
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() && hollow(f.Type, 0) {
				s.fields = append(s.fields, i)
			}
		}
	}
	shapes.Store(t, s)
	return s
}

// hollow tells whether a value of t may hold a nil slice or map. Bytes are text in
// JSON, and types that write themselves are left alone.
func hollow(t reflect.Type, depth int) bool {
	if depth > 8 {
		return true
	}
	if t.Implements(reflect.TypeFor[json.Marshaler]()) {
		return false
	}
	switch t.Kind() {
	case reflect.Slice:
		return t.Elem().Kind() != reflect.Uint8
	case reflect.Map, reflect.Interface:
		return true
	case reflect.Pointer:
		return hollow(t.Elem(), depth+1)
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() && hollow(f.Type, depth+1) {
				return true
			}
		}
		return false
	default:
		return false
	}
}
