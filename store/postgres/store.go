// Package postgres keeps a shop's state in PostgreSQL 15 or later.
package postgres
