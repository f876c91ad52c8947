package fga

import (
	openfga "github.com/openfga/api/proto/openfga/v1"

	"github.com/tenantry/tenantry/bench/internal/tree"
)

// The model, in OpenFGA's own language:
//
//	type user
//	type account
//	  relations
//	    define parent: [account]
//	    define reader: [user]                       // likewise editor, admin
//	    define branch_reader: [user, account#reader] // likewise; account#reader is always_on, on the account itself
//	    define branch_access: branch_reader or branch_editor or branch_admin or branch_access from parent
//	    define branch_manage_users: branch_editor or branch_admin or branch_manage_users from parent
//	    define branch_manage_roles: branch_admin or branch_manage_roles from parent
//	    define access: reader or editor or admin or branch_access
//	    define read_users: reader or editor or admin or branch_access
//	    define manage_users: editor or admin or branch_manage_users
//	    define manage_roles: admin or branch_manage_roles
//
// There is one way up the tree for each permission, as in Tenantry's schema.
func types() []*openfga.TypeDefinition {
	relations := map[string]*openfga.Userset{"parent": direct()}
	metadata := map[string]*openfga.RelationMetadata{"parent": given(&openfga.RelationReference{Type: "account"})}
	for _, role := range tree.Roles() {
		relations[role.String()], relations[branch(role)] = direct(), direct()
		metadata[role.String()] = given(&openfga.RelationReference{Type: "user"})
		metadata[branch(role)] = given(
			&openfga.RelationReference{Type: "user"},
			&openfga.RelationReference{Type: "account", RelationOrWildcard: &openfga.RelationReference_Relation{Relation: role.String()}})
	}
	names := map[string]tree.Permission{access: tree.Read}
	for _, p := range tree.Permissions()[1:] {
		names[p.String()] = p
	}
	for name, p := range names {
		var here, below []*openfga.Userset
		for _, role := range tree.Roles() {
			if role.Holds(p) {
				here, below = append(here, computed(role.String())), append(below, computed(branch(role)))
			}
		}
		relations["branch_"+name] = union(append(below, fromParent("branch_"+name))...)
		relations[name] = union(append(here, computed("branch_"+name))...)
	}
	relations[tree.Read.String()] = computed(access) // every role reads
	return []*openfga.TypeDefinition{
		{Type: "user"},
		{Type: "account", Relations: relations, Metadata: &openfga.Metadata{Relations: metadata}},
	}
}

// access is the relation of who may open an account.
const access = "access"

// branch is the relation of a role with sub-account access.
func branch(role tree.Role) string { return "branch_" + role.String() }

func given(to ...*openfga.RelationReference) *openfga.RelationMetadata {
	return &openfga.RelationMetadata{DirectlyRelatedUserTypes: to}
}

func direct() *openfga.Userset {
	return &openfga.Userset{Userset: &openfga.Userset_This{This: &openfga.DirectUserset{}}}
}

func computed(relation string) *openfga.Userset {
	return &openfga.Userset{Userset: &openfga.Userset_ComputedUserset{ComputedUserset: &openfga.ObjectRelation{Relation: relation}}}
}

func union(of ...*openfga.Userset) *openfga.Userset {
	return &openfga.Userset{Userset: &openfga.Userset_Union{Union: &openfga.Usersets{Child: of}}}
}

func fromParent(relation string) *openfga.Userset {
	return &openfga.Userset{Userset: &openfga.Userset_TupleToUserset{TupleToUserset: &openfga.TupleToUserset{
		Tupleset: &openfga.ObjectRelation{Relation: "parent"}, ComputedUserset: &openfga.ObjectRelation{Relation: relation},
	}}}
}
