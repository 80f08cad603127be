//go:build race

package app_test

// raceDetector: SQLite is some twenty times slower under it.
const raceDetector = true
