package relays

import (
	"reflect"
	"strconv"
	"strings"
)

// filler puts a JSON value into a Go value and writes down everything that does not go in, so that nothing is lost
// unsaid. The Go type is the description of the format: keys are the names in the json tags, those without omitempty
// are required, and strings must pass check.
type filler struct {
	file  string
	found Findings
}

func (f *filler) add(n *node, why string) {
	f.found = append(f.found, Finding{File: f.file, Line: n.line, Path: n.path(), Why: why, Value: n.String()})
}

// fill reports whether v now has a usable value. When it has not, a finding covers all of n.
func (f *filler) fill(v reflect.Value, n *node) bool {
	switch v.Kind() {
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		if !f.fill(p.Elem(), n) {
			return false
		}
		v.Set(p)
	case reflect.String:
		if !f.want(n, text) {
			return false
		}
		v.SetString(n.value)
		return f.checked(v, n)
	case reflect.Int:
		i, err := strconv.Atoi(n.value)
		if n.kind != number || err != nil {
			f.add(n, "want a whole number")
			return false
		}
		v.SetInt(int64(i))
		return f.checked(v, n)
	case reflect.Float64:
		x, err := strconv.ParseFloat(n.value, 64)
		if n.kind != number || err != nil {
			f.add(n, "want a number")
			return false
		}
		v.SetFloat(x)
		return f.checked(v, n)
	case reflect.Bool:
		if !f.want(n, boolean) {
			return false
		}
		v.SetBool(n.value == "true")
	case reflect.Slice:
		if !f.want(n, array) {
			return false
		}
		v.Set(reflect.MakeSlice(v.Type(), 0, len(n.items)))
		for _, item := range n.items {
			if e := reflect.New(v.Type().Elem()).Elem(); f.fill(e, item) {
				v.Set(reflect.Append(v, e))
			}
		}
	case reflect.Map:
		if !f.want(n, object) {
			return false
		}
		v.Set(reflect.MakeMapWithSize(v.Type(), len(n.items)))
		for _, item := range n.items {
			key := reflect.ValueOf(item.key).Convert(v.Type().Key())
			if err := check(key.Interface()); err != nil {
				f.add(item, "bad key: "+err.Error())
			} else if e := reflect.New(v.Type().Elem()).Elem(); f.fill(e, item) {
				v.SetMapIndex(key, e)
			}
		}
	case reflect.Struct:
		return f.want(n, object) && f.fields(v, n)
	default:
		panic("relays: no JSON form for " + v.Type().String())
	}
	return true
}

func (f *filler) want(n *node, k kind) bool {
	if n.kind != k {
		f.add(n, "want "+string(k))
		return false
	}
	return true
}

func (f *filler) checked(v reflect.Value, n *node) bool {
	if err := check(v.Interface()); err != nil {
		f.add(n, err.Error())
		v.SetZero()
		return false
	}
	return true
}

// fields fills a struct. A field "Node" gets the node itself: from it, later findings know their place.
func (f *filler) fields(v reflect.Value, n *node) bool {
	usable, missing := true, ""
	known := map[string]bool{}
	var names []string
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Name == "Node" {
			v.Field(i).Set(reflect.ValueOf(n))
			continue
		}
		key, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		known[key] = true
		names = append(names, key)
		required := !strings.HasPrefix(options, "omit")
		switch item := n.get(key); {
		case item != nil:
			if !f.fill(v.Field(i), item) && required {
				usable = false
			}
		case required:
			usable, missing = false, key
		}
	}
	for _, item := range n.items {
		if !known[item.key] {
			f.unknown(item, names)
		}
	}
	switch {
	case missing != "":
		f.add(n, "want the field "+missing)
	case !usable:
		f.add(n, "left out, because a required field is not usable")
	}
	return usable
}

// unknown keeps apart what is about the file: comments, and what stands at the top beside the entries.
func (f *filler) unknown(n *node, names []string) {
	top := n.parent.parent == nil
	about := strings.HasPrefix(n.key, "_") || top && (n.key == "$schema" || n.key == "version")
	why := "no such field here: want one of " + strings.Join(names, ", ")
	if about {
		why = "about the file itself, which a catalogue has no place for"
	}
	f.add(n, why)
	f.found[len(f.found)-1].About = about
}
