//! Canonical Huffman codes, and the bits that they are read from.

/// Bits of a code at most.
pub(super) const MAX_BITS: usize = 15;

/// Bits by which a symbol is looked up at once; nearly all have shorter codes. The table is 1 KB.
const FAST_BITS: usize = 9;

/// Symbols of a code at most.
pub(super) const MAX_SYMBOLS: usize = 288;

/// Bits of a stream, the lowest of each byte first.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// The first byte that is not held.
    at: usize,
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            held: 0,
            count: 0,
        }
    }

    /// Holds at least 32 bits, as far as there are any.
    fn fill(&mut self) {
        while self.count <= 32
            && let Some(byte) = self.bytes.get(self.at)
        {
            self.held |= u64::from(*byte) << self.count;
            self.count = self.count.wrapping_add(8);
            self.at = self.at.wrapping_add(1);
        }
    }

    fn drop(&mut self, count: u32) -> Option<()> {
        self.count = self.count.checked_sub(count)?;
        self.held >>= count;
        Some(())
    }

    /// The next bits, 16 at most, as a number.
    pub(super) fn take(&mut self, count: u32) -> Option<u16> {
        self.fill();
        let mask = (1_u64 << count).wrapping_sub(1);
        let bits = (self.held & mask) as u16;
        self.drop(count)?;
        Some(bits)
    }

    /// The bytes behind the one that bits were taken of last.
    pub(super) fn rest(&self) -> &'a [u8] {
        let held = (self.count >> 3) as usize;
        self.bytes
            .get(self.at.saturating_sub(held)..)
            .unwrap_or_default()
    }
}

/// A code: which symbol stands for which bits.
pub(super) struct Code {
    /// How many codes have each number of bits.
    counts: [u16; MAX_BITS + 1],
    /// The symbols in the order of their codes.
    symbols: [u16; MAX_SYMBOLS],
    /// By the next bits, a symbol and, in the lowest four bits, how many its code has; 0 where that is longer.
    fast: [u16; 1 << FAST_BITS],
}

impl Code {
    /// The code with so many bits for each symbol, 0 for one that does not occur. `None` where these are no code; one
    /// that leaves bits without a meaning must have a single symbol, or none (RFC 1951, 3.2.7).
    pub(super) fn of(lengths: &[u8]) -> Option<Self> {
        let mut code = Self {
            counts: [0; MAX_BITS + 1],
            symbols: [0; MAX_SYMBOLS],
            fast: [0; 1 << FAST_BITS],
        };
        for length in lengths {
            let count = code.counts.get_mut(usize::from(*length))?;
            *count = count.wrapping_add(1);
        }
        let [unused, counts @ ..] = &mut code.counts;
        *unused = 0;
        let (mut left, mut first, mut place, mut used) = (1_i32, 0_u16, 0_u16, 0_u16);
        // By length: the first code, and where its symbol stands.
        let mut firsts = [(0_u16, 0_u16); MAX_BITS + 1];
        for (count, next) in counts.iter().zip(firsts.iter_mut().skip(1)) {
            left = left.wrapping_mul(2).wrapping_sub(i32::from(*count));
            if left < 0 {
                return None;
            }
            first = first.wrapping_mul(2);
            *next = (first, place);
            first = first.wrapping_add(*count);
            place = place.wrapping_add(*count);
            used = used.wrapping_add(*count);
        }
        if left > 0 && used > 1 {
            return None;
        }
        for (symbol, length) in lengths
            .iter()
            .enumerate()
            .filter(|(_, length)| **length > 0)
        {
            let (bits, place) = firsts.get_mut(usize::from(*length))?;
            let symbol = symbol as u16;
            *code.symbols.get_mut(usize::from(*place))? = symbol;
            code.note(*bits, *length, symbol);
            (*bits, *place) = (bits.wrapping_add(1), place.wrapping_add(1));
        }
        Some(code)
    }

    /// Notes a short code wherever the bits that may follow it lead.
    fn note(&mut self, bits: u16, length: u8, symbol: u16) {
        if usize::from(length) > FAST_BITS {
            return;
        }
        let first = bits.reverse_bits() >> (16_u32.wrapping_sub(u32::from(length)));
        let entries = self.fast.iter_mut().skip(usize::from(first));
        for entry in entries.step_by(1 << length) {
            *entry = symbol << 4 | u16::from(length);
        }
    }

    /// The next symbol.
    #[inline]
    pub(super) fn read(&self, bits: &mut Bits<'_>) -> Option<u16> {
        bits.fill();
        let next = bits.held as usize & ((1 << FAST_BITS) - 1);
        let entry = *self.fast.get(next)?;
        if entry == 0 {
            return self.read_long(bits);
        }
        bits.drop(u32::from(entry & 15))?;
        Some(entry >> 4)
    }

    #[cold]
    fn read_long(&self, bits: &mut Bits<'_>) -> Option<u16> {
        let (mut code, mut first, mut place) = (0_u16, 0_u16, 0_u16);
        for count in self.counts.iter().skip(1) {
            code = code.wrapping_mul(2) | (bits.held & 1) as u16;
            bits.drop(1)?;
            first = first.wrapping_mul(2);
            let nth = code.wrapping_sub(first);
            if nth < *count {
                let place = place.wrapping_add(nth);
                return self.symbols.get(usize::from(place)).copied();
            }
            first = first.wrapping_add(*count);
            place = place.wrapping_add(*count);
        }
        None
    }
}
