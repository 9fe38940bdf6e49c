package bench

import (
	"bytes"
	"encoding/json"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

var compiled = sync.OnceValues(func() (*jsonschema.Schema, error) {
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("result.schema.json", schema); err != nil {
		return nil, err
	}
	return c.Compile("result.schema.json")
})

// valid holds a result against the schema.
func valid(t testing.TB, r any) error {
	t.Helper()
	schema, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(doc)
}

// fill sets every field of a value, so that no omitempty leaves one out.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1, 0).UTC()))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(1)
	case reflect.Int:
		v.SetInt(1)
	default:
		v.SetUint(1)
	}
}

// The schema knows every field, and demands those that are always there.
func TestSchemaIsThatOfResult(t *testing.T) {
	var full Result
	fill(reflect.ValueOf(&full).Elem())
	if err := valid(t, &full); err != nil {
		t.Error(err)
	}
	if err := valid(t, &Result{Version: ResultVersion}); err != nil {
		t.Error(err)
	}
	if err := valid(t, map[string]any{"version": ResultVersion, "goodput": 1}); err == nil {
		t.Error("the schema takes anything")
	}
}
