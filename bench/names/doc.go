// Package names measures how names of firms are matched: many millions against
// themselves, and one against a registry, beside the plain way of doing it.
package names
