package postgres

// RoadSettings are those of the road's connections, for the test of plans.
var RoadSettings = roadSettings
