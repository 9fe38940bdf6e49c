//go:build !linux

package reference

const siegeRelay = "SIEGE_RELAY"

func serveSiege() {}
