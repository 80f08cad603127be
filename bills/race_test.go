//go:build race

package bills_test

// raceDetector: SQLite is some twenty times slower under it.
const raceDetector = true
