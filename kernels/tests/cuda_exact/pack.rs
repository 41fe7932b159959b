//! `exact_pack_*` against the panels that [`Matrix::pack`] makes of the same rows.

use kernels::{
    lanes::LANES,
    matmul::{Format, Matrix, PackError},
};

use crate::{
    cuda_cpu::{Arguments, Memory, in_both_orders},
    launch::launch,
    weights::{file_rows, float_distance, float_offsets, packed},
};

const COLUMNS: usize = 512;
/// Two whole panels, and one that lacks rows.
const ROWS: usize = 40;

/// Rows at an odd address, packed to every `step`-th panel from `first` on; the words before are left as they are.
struct Pack<'a> {
    format: Format,
    rows: &'a [u8],
    first: u32,
    step: u32,
}

impl Pack<'_> {
    /// The panels from the first to the last one written, and whether something was not finite.
    fn run(&self) -> (Vec<u8>, u32) {
        let file = [&[0xee], self.rows].concat();
        let (file, not_finite) = (Memory::of(&file), Memory::of(&[0_u32]));
        let rows = self.rows.len() / self.format.row_bytes(COLUMNS);
        let panels = rows.div_ceil(LANES);
        let row_blocks = COLUMNS / self.format.block_columns();
        let places = self.first as usize + (panels - 1) * self.step as usize + 1;
        let target = Memory::<u8>::unwritten(places * self.panel_bytes());
        let arguments = Arguments::new().memory_from(&file, 1);
        let arguments = arguments.memory(&target).memory(&not_finite);
        let arguments = arguments.value(row_blocks as u32).value(rows as u32);
        let arguments = arguments.value(self.first).value(self.step);
        let entry = format!("exact_pack_{}", self.format.name());
        let grid = (panels, self.panel_bytes().div_ceil(4 * 256));
        launch(&entry, grid, 256, arguments);
        (target.read(), not_finite.read()[0])
    }

    fn panel_bytes(&self) -> usize {
        let one = vec![0; self.format.row_bytes(COLUMNS)];
        let matrix = Matrix::pack(self.format, COLUMNS, &one).unwrap();
        matrix.packed_panel(0).bytes.len()
    }
}

#[test]
fn panels_have_the_cpus_bytes() {
    for format in Format::ALL {
        let rows = file_rows(*format, ROWS, COLUMNS);
        let expected = packed(&Matrix::pack(*format, COLUMNS, &rows).unwrap());
        let pack = Pack {
            format: *format,
            rows: &rows,
            first: 0,
            step: 1,
        };
        let (panels, not_finite) = in_both_orders(|| pack.run());
        assert!(panels == expected, "{format:?}");
        assert_eq!(not_finite, 0, "{format:?}");
    }
}

#[test]
fn panels_go_to_their_places_and_nowhere_else() {
    for format in Format::ALL {
        let rows = file_rows(*format, ROWS, COLUMNS);
        let pack = Pack {
            format: *format,
            rows: &rows,
            first: 1,
            step: 2,
        };
        let (places, _) = pack.run();
        let expected = packed(&Matrix::pack(*format, COLUMNS, &rows).unwrap());
        let mut expected = expected.chunks(pack.panel_bytes());
        for (place, panel) in places.chunks(pack.panel_bytes()).enumerate() {
            match place % 2 {
                1 => assert!(Some(panel) == expected.next(), "{format:?}, {place}"),
                _ => assert!(panel.iter().all(|byte| *byte == 0xff), "{format:?}"),
            }
        }
        assert_eq!(expected.count(), 0);
    }
}

#[test]
fn what_the_cpu_refuses_is_told() {
    for format in Format::ALL {
        let good = file_rows(*format, ROWS, COLUMNS);
        let blocks = good.len() / float_distance(*format);
        for offset in float_offsets(*format) {
            for block in [0, blocks / 2, blocks - 1] {
                let mut rows = good.clone();
                let at = block * float_distance(*format) + offset;
                // All of the exponent's bits, whichever float it is.
                rows[at] |= 0x80;
                rows[at + 1] |= 0x7f;
                let refused = Matrix::pack(*format, COLUMNS, &rows).err();
                assert_eq!(refused, Some(PackError::NotFinite), "{format:?}");
                let pack = Pack {
                    format: *format,
                    rows: &rows,
                    first: 0,
                    step: 1,
                };
                assert_eq!(pack.run().1, 1, "{format:?}, block {block}");
            }
        }
    }
}
