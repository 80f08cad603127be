package app

// DerivedNumber is the number of an automatic refund: tests report facts about
// it before anybody has made it.
var DerivedNumber = derivedNumber
