//! Chance that is the same everywhere: a small generator with a fixed algorithm, and identifiers derived from it.
//!
//! Written out here rather than taken from a crate, because the same options must give the same bytes on every machine
//! and with every later version.

/// SplitMix64: one addition and three mixing steps a number.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// The generator of one thing: `label` and `n` keep the streams of different things apart.
    pub fn of(seed: u64, label: &str, n: u64) -> Self {
        let mut state = seed ^ 0x9e37_79b9_7f4a_7c15;
        for byte in label.bytes() {
            state = mix(state ^ u64::from(byte));
        }
        Rng(mix(state ^ mix(n.wrapping_add(1))))
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number in `0..limit` (0 if the limit is 0).
    pub fn below(&mut self, limit: u64) -> u64 {
        if limit == 0 {
            return 0;
        }
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    /// True `per_mille` times in a thousand.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of the list.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len() as u64) as usize]
    }

    /// A random GUID (version 4).
    pub fn guid(&mut self) -> Guid {
        let mut bytes = [0u8; 16];
        bytes[..8].copy_from_slice(&self.next().to_be_bytes());
        bytes[8..].copy_from_slice(&self.next().to_be_bytes());
        bytes[6] = 0x40 | (bytes[6] & 0x0f);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        Guid(bytes)
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A GUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(pub [u8; 16]);

impl Guid {
    /// The GUID of one named thing of one simulated tenant.
    pub fn of(seed: u64, label: &str, n: u64) -> Self {
        Rng::of(seed, label, n).guid()
    }

    /// Appends the usual text form.
    pub fn write(&self, out: &mut Vec<u8>) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        for (i, byte) in self.0.iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                out.push(b'-');
            }
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
        }
    }
}

impl std::fmt::Display for Guid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_never_changes() {
        // Numbers noted once: a change of the algorithm would change every simulated file.
        let mut rng = Rng::of(7, "users", 3);
        assert_eq!([rng.next(), rng.next()], [8_401_223_697_828_903_173, 4_345_699_725_211_721_680]);
    }

    #[test]
    fn a_guid_has_one_text_form() {
        let guid = Guid::of(1, "tenant", 0);
        let mut bytes = Vec::new();
        guid.write(&mut bytes);
        assert_eq!(String::from_utf8_lossy(&bytes), guid.to_string());
        assert_eq!(guid.to_string().len(), 36);
    }

    #[test]
    fn below_stays_below() {
        let mut rng = Rng::of(1, "x", 0);
        assert!((0..1000).all(|_| rng.below(7) < 7));
        assert_eq!(rng.below(0), 0);
    }
}
