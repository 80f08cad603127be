package rest

import (
	"errors"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/tandem-pay/tandem/fault"
)

// Messages of huma.
const (
	msgCannotRead   = "cannot read request body"
	msgUnknownQuery = "unknown query parameter"
	msgKeyMissing   = "required header parameter is missing"
	msgRequired     = "expected required property "
)

// maxFields is how many fields one problem names: a body of 1 MiB has room
// for half a million that are wrong.
const maxFields = 20

// invalid makes one error of what huma found wrong with parameters and body.
func invalid(msg string, errs []error) *fault.Error {
	e := fault.New(fault.ValidationFailed, "%s", msg)
	for _, err := range errs {
		d, ok := errors.AsType[*huma.ErrorDetail](err)
		if !ok {
			continue
		}
		pointer, message := pointerTo(d.Location), d.Message
		if at, why, own := strings.Cut(message, fieldSeparator); own {
			pointer, message = at, why
		}
		if name, ok := strings.CutPrefix(message, msgRequired); ok {
			name, _, _ = strings.Cut(name, " ")
			pointer, message = pointer+"/"+name, "is required"
		}
		switch {
		case message == msgKeyMissing && pointer == idempotencyHeader:
			return keyRequired()
		case message == validation.MsgUnexpectedProperty:
			e.Code, message = fault.UnknownField, "there is no such field"
		case message == msgUnknownQuery:
			e.Code, message = fault.UnknownField, "there is no such query parameter"
		}
		if e.Fields = append(e.Fields, fault.Field{Pointer: pointer, Message: message}); len(e.Fields) == maxFields {
			break
		}
	}
	switch len(e.Fields) {
	case 0:
	case 1:
		e.Message = strings.TrimPrefix(e.Fields[0].Pointer+": "+e.Fields[0].Message, ": ")
	default:
		e.Message = strconv.Itoa(len(errs)) + " fields are at fault; see errors"
	}
	return e
}

// pointerTo turns huma's location ("body.items[0].quantity", "query.limit")
// into a JSON pointer into the body, or the plain name of a parameter.
func pointerTo(location string) string {
	where, path, _ := strings.Cut(location, ".")
	if !strings.HasPrefix(where, "body") {
		return path
	}
	if rest, ok := strings.CutPrefix(where, "body["); ok {
		path = strings.TrimSuffix("["+rest+"."+path, ".")
	}
	if path == "" {
		return ""
	}
	return "/" + strings.TrimPrefix(toPointer.Replace(path), "/")
}

var toPointer = strings.NewReplacer("~", "~0", "/", "~1", ".", "/", "[", "/", "]", "")
