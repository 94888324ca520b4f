package imbag

import "math"

// Box is a rectangle along the axes of the Dutch grid, in millimetres, its edges included.
type Box struct{ MinX, MinY, MaxX, MaxY int32 }

// BoxOf gives the smallest box around a geometry.
func BoxOf(g *Geometry) Box {
	b := Box{math.MaxInt32, math.MaxInt32, math.MinInt32, math.MinInt32}
	dim := int(g.Dim)
	for i := 0; dim >= 2 && i+1 < len(g.Coords); i += dim {
		b.MinX, b.MaxX = min(b.MinX, g.Coords[i]), max(b.MaxX, g.Coords[i])
		b.MinY, b.MaxY = min(b.MinY, g.Coords[i+1]), max(b.MaxY, g.Coords[i+1])
	}
	return b
}

// tolerance is how far outside its edge a shape still counts as touched, in millimetres (locatie-zoeken.feature).
const tolerance = 0.5

// Position is a place in the Dutch grid, in millimetres. Questions may be finer than a millimetre.
type Position struct{ X, Y float64 }

// Area is a rectangle along the axes of the Dutch grid that is asked for, in millimetres. A point is an area without size.
type Area struct{ Min, Max Position }

// Box gives the smallest box around the area with the tolerance.
func (a Area) Box() Box {
	low := func(v float64) int32 { return int32(math.Floor(clamp(v - tolerance))) }
	high := func(v float64) int32 { return int32(math.Ceil(clamp(v + tolerance))) }
	return Box{low(a.Min.X), low(a.Min.Y), high(a.Max.X), high(a.Max.Y)}
}

func clamp(v float64) float64 { return max(math.MinInt32, min(math.MaxInt32, v)) }

// Touches tells whether an area and a geometry have a point in common, or come within half a millimetre of one another.
// What lies in a hole of a polygon is outside it.
func (g *Geometry) Touches(a Area) bool {
	dim := int(g.Dim)
	if dim < 2 || len(g.Coords) < dim {
		return false
	}
	if g.Kind == Point {
		return a.distance(Position{float64(g.Coords[0]), float64(g.Coords[1])}) <= tolerance+rounding
	}
	coords, ring := g.Coords, 0
	for _, rings := range g.Polygons {
		inside := false // of the polygon: an odd number of edges lies to the right of the area's corner
		for range rings {
			if ring >= len(g.Rings) || int(g.Rings[ring])*dim > len(coords) {
				return false
			}
			n := int(g.Rings[ring])
			for i := 1; i < n; i++ {
				p := Position{float64(coords[(i-1)*dim]), float64(coords[(i-1)*dim+1])}
				q := Position{float64(coords[i*dim]), float64(coords[i*dim+1])}
				if a.meets(p, q) {
					return true
				}
				if (p.Y > a.Min.Y) != (q.Y > a.Min.Y) && a.Min.X < p.X+(a.Min.Y-p.Y)/(q.Y-p.Y)*(q.X-p.X) {
					inside = !inside
				}
			}
			coords, ring = coords[n*dim:], ring+1
		}
		if inside {
			return true
		}
	}
	return false
}

// rounding is what sums of coordinates of a country lose in floating point, in millimetres.
const rounding = 1e-6

// distance is how far a position lies outside the area.
func (a Area) distance(p Position) float64 {
	return math.Hypot(max(a.Min.X-p.X, 0, p.X-a.Max.X), max(a.Min.Y-p.Y, 0, p.Y-a.Max.Y))
}

// meets tells whether an edge comes within the tolerance of the area.
func (a Area) meets(p, q Position) bool {
	if a.distance(p) <= tolerance+rounding || a.distance(q) <= tolerance+rounding || a.crossed(p, q) {
		return true
	}
	for _, corner := range [...]Position{a.Min, {a.Max.X, a.Min.Y}, a.Max, {a.Min.X, a.Max.Y}} {
		if toEdge(corner, p, q) <= tolerance+rounding {
			return true
		}
	}
	return false
}

// crossed clips the edge to the area (Liang and Barsky) and tells whether anything is left.
func (a Area) crossed(p, q Position) bool {
	from, to := 0.0, 1.0
	for _, c := range [...][2]float64{
		{p.X - q.X, p.X - a.Min.X}, {q.X - p.X, a.Max.X - p.X}, {p.Y - q.Y, p.Y - a.Min.Y}, {q.Y - p.Y, a.Max.Y - p.Y},
	} {
		switch step, room := c[0], c[1]; {
		case step == 0 && room < 0:
			return false
		case step < 0:
			from = max(from, room/step)
		case step > 0:
			to = min(to, room/step)
		}
	}
	return from <= to
}

// toEdge is the distance of c to the edge from p to q.
func toEdge(c, p, q Position) float64 {
	dx, dy := q.X-p.X, q.Y-p.Y
	along := 0.0
	if length := dx*dx + dy*dy; length > 0 {
		along = max(0, min(1, ((c.X-p.X)*dx+(c.Y-p.Y)*dy)/length))
	}
	return math.Hypot(c.X-p.X-along*dx, c.Y-p.Y-along*dy)
}
