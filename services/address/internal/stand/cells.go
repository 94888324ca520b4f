package stand

import (
	"fmt"

	"noorderhub.nl/hub/services/address/internal/imbag"
)

// The grid is a stack of grids: cells of 64 m, of four times that, and so on. An object stands in the finest one in
// which its bounding box touches at most two cells each way, so it has at most four entries however large it is, and a
// question looks at few cells per grid. The key of a cell is its level, column and row.
const (
	cellBits   = 16 // the side of the finest cell is 2^16 mm
	levelShift = 2
	levels     = 9 // the coarsest cell is larger than what 32 bits of millimetres can hold
)

func cellKey(level int, x, y int32) uint64 {
	return uint64(level)<<56 | uint64(uint32(x)&0xfffffff)<<28 | uint64(uint32(y)&0xfffffff)
}

// indexShape enters a geometry, in its stored form, into the grid.
func (b *builder) indexShape(t imbag.Type, shape []byte, place uint32) error {
	var g imbag.Geometry
	r := reader{b: shape}
	if r.geometry(&g); r.bad || len(r.b) > 0 {
		return fmt.Errorf("the geometry cannot be read back")
	}
	box := imbag.BoxOf(&g)
	level, shift := 0, cellBits
	for level < levels-1 && (box.MaxX>>shift-box.MinX>>shift > 1 || box.MaxY>>shift-box.MinY>>shift > 1) {
		level, shift = level+1, shift+levelShift
	}
	for x := box.MinX >> shift; x <= box.MaxX>>shift; x++ {
		for y := box.MinY >> shift; y <= box.MaxY>>shift; y++ {
			if err := b.index(ixCell+t.Code(), cellKey(level, x, y), place); err != nil {
				return err
			}
		}
	}
	return nil
}

// Near appends the objects of a type that ever lay near a box; an object can be appended more than once. The caller
// compares the geometries.
func (s *Stand) Near(to []imbag.ID, t imbag.Type, box imbag.Box) ([]imbag.ID, error) {
	if !t.Located() {
		return to, nil
	}
	var err error
	for level := range levels {
		shift := cellBits + level*levelShift
		for x := box.MinX >> shift; x <= box.MaxX>>shift; x++ {
			for y := box.MinY >> shift; y <= box.MaxY>>shift; y++ {
				if to, err = s.ids(to, ixCell+t.Code(), cellKey(level, x, y), t); err != nil {
					return to, err
				}
			}
		}
	}
	return to, nil
}
