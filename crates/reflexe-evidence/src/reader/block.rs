//! Where certain bytes stand in a block of text, as bits: the first step of skipping what nobody wants. Bit 0 is the first byte.

/// Bytes that matter to somebody who skips a JSON value, in 64 bytes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    /// `"`
    pub quote: u64,
    /// `\`
    pub slash: u64,
    /// `{` or `[`
    pub open: u64,
    /// `}` or `]`
    pub close: u64,
}

/// The marks of 64 bytes.
#[inline]
pub fn marks(block: &[u8; 64]) -> Marks {
    let mut marks = Marks { quote: 0, slash: 0, open: 0, close: 0 };
    let (parts, _) = block.as_chunks::<16>();
    for (i, part) in parts.iter().enumerate() {
        let [quote, slash, open, close] = lane::marks(part);
        let shift = i * 16;
        marks.quote |= u64::from(quote) << shift;
        marks.slash |= u64::from(slash) << shift;
        marks.open |= u64::from(open) << shift;
        marks.close |= u64::from(close) << shift;
    }
    marks
}

/// Index of the first quote or backslash among 16 bytes.
#[inline]
pub fn quote_or_slash(part: &[u8; 16]) -> Option<usize> {
    let bits = lane::quote_or_slash(part);
    (bits != 0).then(|| bits.trailing_zeros() as usize)
}

/// Whether a backslash is among 16 bytes.
#[inline]
pub fn slash(part: &[u8; 16]) -> bool {
    lane::slash(part)
}

mod lane {
    use wide::u8x16;

    #[inline]
    fn bits(mask: u8x16) -> u16 {
        mask.to_bitmask() as u16
    }

    #[inline]
    pub fn marks(part: &[u8; 16]) -> [u16; 4] {
        let bytes = u8x16::new(*part);
        let is = |bytes: u8x16, byte: u8| bits(bytes.simd_eq(u8x16::splat(byte)));
        // braces and brackets differ by this bit alone
        let folded = bytes | u8x16::splat(0x20);
        [is(bytes, b'"'), is(bytes, b'\\'), is(folded, b'{'), is(folded, b'}')]
    }

    #[inline]
    pub fn quote_or_slash(part: &[u8; 16]) -> u16 {
        let bytes = u8x16::new(*part);
        bits(bytes.simd_eq(u8x16::splat(b'"')) | bytes.simd_eq(u8x16::splat(b'\\')))
    }

    #[inline]
    pub fn slash(part: &[u8; 16]) -> bool {
        bits(u8x16::new(*part).simd_eq(u8x16::splat(b'\\'))) != 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_byte_is_marked_right(block in proptest::array::uniform32(any::<u8>()), some in proptest::array::uniform32(prop::sample::select(b"\"\\{}[]a\x5e\x7f\xff\x00 :,".to_vec()))) {
            let mut whole = [0; 64];
            whole[..32].copy_from_slice(&block);
            whole[32..].copy_from_slice(&some);
            let at = |bytes: &[u8]| (0..64).filter(|i| bytes.contains(&whole[*i])).fold(0_u64, |bits, i| bits | 1 << i);
            prop_assert_eq!(marks(&whole), Marks { quote: at(b"\""), slash: at(b"\\"), open: at(b"{["), close: at(b"}]") });
            for part in whole.as_chunks::<16>().0 {
                prop_assert_eq!(slash(part), part.contains(&b'\\'));
                prop_assert_eq!(quote_or_slash(part), part.iter().position(|b| matches!(b, b'"' | b'\\')));
            }
        }
    }
}
