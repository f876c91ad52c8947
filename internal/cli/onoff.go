package cli

import "errors"

// onOff is a flag that is on or off.
type onOff bool

func (v *onOff) String() string {
	if *v {
		return "on"
	}
	return "off"
}

// Set takes on or off.
func (v *onOff) Set(text string) error {
	switch text {
	case "on":
		*v = true
	case "off":
		*v = false
	default:
		return errors.New("it is on or off")
	}
	return nil
}

// Type is what help shows for the value.
func (v *onOff) Type() string { return "on|off" }
