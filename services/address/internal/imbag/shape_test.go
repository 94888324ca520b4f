package imbag_test

import (
	"testing"

	"noorderhub.nl/hub/services/address/internal/imbag"
)

func ring(metres ...float64) imbag.Geometry {
	g := imbag.Geometry{Kind: imbag.Polygon, Dim: 2, Rings: []int32{int32(len(metres) / 2)}, Polygons: []int32{1}}
	for _, v := range metres {
		g.Coords = append(g.Coords, int32(v*1000+0.5))
	}
	return g
}

func metres(x, y float64) imbag.Position { return imbag.Position{X: x * 1000, Y: y * 1000} }

// The shapes of locatie-zoeken.feature and bounding-box-zoeken.feature.
var (
	plain = ring(118315.606, 404844.967, 118324.183, 404843.509, 118325.179, 404849.365, 118316.604, 404850.835, 118315.606, 404844.967)
	court = func() imbag.Geometry {
		g := ring(90275.639, 446939.302, 90241.499, 446929.194, 90265.134, 446876.961, 90301.792, 446899.558, 90293.907, 446944.715, 90279.026, 446940.298,
			90275.639, 446939.302)
		inner := ring(90257.962, 446920.845, 90277.66, 446926.938, 90282.005, 446928.282, 90285.691, 446907.282, 90268.911, 446896.459, 90257.962, 446920.845)
		g.Coords, g.Rings, g.Polygons[0] = append(g.Coords, inner.Coords...), append(g.Rings, inner.Rings...), 2
		return g
	}()
	unit = imbag.Geometry{Kind: imbag.Point, Dim: 3, Coords: []int32{196733427, 439931991, 0}}
)

func TestAPointTouchesWhatTheFeatureSays(t *testing.T) {
	for _, c := range []struct {
		g    *imbag.Geometry
		x, y float64
		want bool
		name string
	}{
		{&plain, 118320, 404848, true, "inside"},
		{&plain, 118314, 404852, false, "outside"},
		{&court, 90290, 446910, true, "between the outer and the inner edge"},
		{&court, 90270, 446910, false, "in the hole"},
		{&plain, 118315.606, 404844.967, true, "at a corner"},
		{&plain, 118324.681, 404846.437, true, "on an edge"},
		{&court, 90283.848, 446917.782, true, "on the edge of the hole"},
		{&plain, 118315.605, 404844.967, false, "1 mm from a corner"},
		{&plain, 118324.682, 404846.437, false, "0.9 mm from an edge"},
		{&plain, 118325.1795, 404849.3650, true, "0.5 mm from a corner"},
		{&plain, 118325.1796, 404849.3650, false, "0.6 mm from a corner"},
		{&plain, 118315.60, 404844.96, false, "cut to centimetres, outside"},
		{&plain, 118325.17, 404849.36, true, "cut to centimetres, inside"},
		{&plain, 118315, 404844, false, "cut to metres, outside"},
		{&plain, 118325, 404849, true, "cut to metres, inside"},
	} {
		p := metres(c.x, c.y)
		if got := c.g.Touches(imbag.Area{Min: p, Max: p}); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestABoxTouchesWhatTheFeatureSays(t *testing.T) {
	for _, c := range []struct {
		g              *imbag.Geometry
		x1, y1, x2, y2 float64
		want           bool
		name           string
	}{
		{&plain, 118313, 404841, 118327, 404852, true, "all of it"},
		{&plain, 118317, 404845, 118320, 404848, true, "the box is inside"},
		{&plain, 118308, 404840, 118318, 404847, true, "a part, no corner of the box inside"},
		{&unit, 196713, 439911, 196753, 439951.0001, true, "around a point"},
		{&court, 90270, 446905, 90275, 446915, false, "in the hole"},
		{&plain, 118310.304, 404850.835, 118320.604, 404860.592, true, "a corner of the shape on an edge of the box"},
		{&plain, 118324.681, 404840.524, 118328.911, 404846.437, true, "a corner of the box on an edge of the shape"},
		{&plain, 118324.183, 404839.365, 118331.628, 404843.509, true, "corner on corner"},
		{&unit, 196715.427, 439910.991, 196733.427, 439931.991, true, "a corner of the box on a point"},
		{&unit, 196710.427, 439920.142, 196733.427, 439940.935, true, "a point on an edge of the box"},
		{&court, 90268.848, 446912.782, 90283.848, 446917.782, true, "a corner of the box on the edge of the hole"},
		{&unit, 196733.4276, 439931, 196740, 439940, false, "0.6 mm from a point"},
	} {
		if got := c.g.Touches(imbag.Area{Min: metres(c.x1, c.y1), Max: metres(c.x2, c.y2)}); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}
