package account

// Feature is something of the vendor's product that plans hold and that is
// switched on or off for accounts.
type Feature struct {
	Key         FeatureKey    `json:"key"`
	Name        string        `json:"name,omitempty"`
	Description string        `json:"description,omitempty"`
	Permission  PermissionKey `json:"permission,omitempty"` // what its users need in the account besides; "" is being able to open it
}

// Plan is a named set of features. An account has the plan given to it, or that
// of its nearest ancestor that was given one.
type Plan struct {
	Key         PlanKey      `json:"key"`
	Name        string       `json:"name,omitempty"`
	Description string       `json:"description,omitempty"`
	Features    []FeatureKey `json:"features"` // sorted, without repeats
}

// FeatureSwitch turns a feature on or off at an account, whatever its plan says:
// there alone, or in its whole branch. Of several switches the nearest counts, and
// at one account the one for it alone.
type FeatureSwitch struct {
	Account ID         `json:"account"`
	Feature FeatureKey `json:"feature"`
	Branch  bool       `json:"branch,omitempty"` // for the whole branch; otherwise for the account alone
	On      bool       `json:"on"`
}
