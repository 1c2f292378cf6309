//! Where MQTT packets end in a stream (MQTT 5, 2.1).

/// How far into a packet a stream is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Packets(Part);

#[derive(Clone, Copy, Debug, Default)]
enum Part {
    #[default]
    Boundary,
    Length {
        value: usize,
        shift: u32,
    },
    Body(usize),
}

impl Packets {
    pub fn at_boundary(self) -> bool {
        matches!(self.0, Part::Boundary)
    }

    pub fn pass(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = match self.0 {
                Part::Boundary => Part::Length { value: 0, shift: 0 },
                Part::Length { value, shift } => {
                    let value = value | usize::from(byte & 0x7f) << shift;
                    match (byte & 0x80 != 0, value) {
                        (true, _) => Part::Length { value, shift: (shift + 7).min(21) },
                        (false, 0) => Part::Boundary,
                        (false, length) => Part::Body(length),
                    }
                }
                Part::Body(1) => Part::Boundary,
                Part::Body(left) => Part::Body(left - 1),
            }
        }
    }

    /// The first boundary in `bytes` that is not before `from`.
    pub fn boundary(self, bytes: &[u8], from: usize) -> Option<usize> {
        let mut at = self;
        at.pass(&bytes[..from]);
        (from..bytes.len()).find(|&index| {
            let found = at.at_boundary();
            at.pass(&bytes[index..=index]);
            found
        })
    }
}
