//! A stream of JSON records, whatever wraps them: one a line, one array, arrays one after another, Graph pages, or an
//! indented mix. What stands between two records (brackets, commas, page members) is structure and never a record.
use std::io;

use memchr::{memchr, memchr_iter, memmem};

use super::{
    Bad, Item, MAX_RECORD,
    keys::Slots,
    scan::{self, Stop},
    window::Window,
};

/// How records are told apart when reading starts in the middle of a file, or after damage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// A record never spans lines.
    Lines,
    /// Records are preceded by these bytes, the last of which begin the record: `},{"id"` gives 2 and 5.
    Between {
        /// End of a record, separator, beginning of the next.
        pattern: Vec<u8>,
        /// Index in the pattern of the next record's brace.
        start: usize,
    },
    /// Nobody knows: read from the start only.
    Unknown,
}

/// Records of a JSON file, from an offset on.
#[derive(Debug)]
pub struct JsonRecords {
    window: Window,
    layout: Layout,
    at: usize,
    line: u64,
    counted: usize,
    /// A page says that another page follows it.
    pub next_link: bool,
    /// Pages entered, and how many of them say that another follows.
    pub pages: u64,
    /// See `pages`.
    pub links: u64,
}

impl JsonRecords {
    /// Records from `offset` on, which must lie between two records.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn new(mut window: Window, layout: Layout, offset: u64) -> io::Result<Self> {
        window.seek(offset)?;
        Ok(Self { window, layout, at: 0, line: 0, counted: 0, next_link: false, pages: 0, links: 0 })
    }

    /// Offset of the next byte to be read: after [`Self::next`] gave `None` for a bound, where the next record starts.
    pub fn position(&self) -> u64 {
        self.window.start() + self.at as u64
    }

    /// Newlines before [`Self::position`] since the stream was positioned.
    pub fn lines(&mut self) -> u64 {
        self.count_lines(self.at);
        self.line
    }

    /// The file's bytes of an item, until the next call of [`Self::next`].
    pub fn bytes(&self, item: &Item) -> &[u8] {
        let start = (item.offset - self.window.start()) as usize;
        let end = (start + item.length as usize).min(self.window.bytes().len());
        self.window.bytes().get(start..end).unwrap_or_default()
    }

    /// Gives the window back.
    pub fn into_window(self) -> Window {
        self.window
    }

    /// Moves to where a record seems to start at `from` or after it: for a stream positioned at random.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn align(&mut self, from: u64) -> io::Result<()> {
        self.more()?;
        loop {
            self.resync(Bad::Json)?;
            self.between()?;
            if self.position() >= from || (self.window.at_end() && self.at >= self.window.bytes().len()) {
                return Ok(());
            }
        }
    }

    /// Moves to the next record, and says where that is.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn settle(&mut self) -> io::Result<u64> {
        self.between()?;
        Ok(self.position())
    }

    /// How far before an offset a stream must be positioned so that [`Self::align`] finds the record that starts there;
    /// `None` if records cannot be told apart without reading from the start.
    pub fn lead(layout: &Layout) -> Option<u64> {
        match layout {
            Layout::Lines => Some(2),
            Layout::Between { pattern, .. } => Some(pattern.len() as u64 + 1),
            Layout::Unknown => None,
        }
    }

    /// The next record that starts before `bound`, its members in `slots`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next(&mut self, bound: u64, slots: &mut Slots) -> io::Result<Option<Item>> {
        loop {
            let Some(byte) = self.between()? else { return Ok(None) };
            if self.position() >= bound {
                return Ok(None);
            }
            match byte {
                b'{' if self.enter_page()? => {}
                b'{' => return self.record(slots).map(Some),
                b'"' if self.page_member()? => {}
                _ => return self.garbage().map(Some),
            }
        }
    }

    /// Skips what may stand between records; the byte that follows, or `None` at the end of the file.
    fn between(&mut self) -> io::Result<Option<u8>> {
        loop {
            let bytes = self.window.bytes();
            while let Some(b' ' | b'\n' | b'\r' | b'\t' | b',' | b'[' | b']' | b'}' | 0x1e) = bytes.get(self.at) {
                self.at += 1;
            }
            if let Some(byte) = bytes.get(self.at) {
                return Ok(Some(*byte));
            }
            if !self.more()? {
                return Ok(None);
            }
        }
    }

    /// Reads more, keeping what stands from the current position on.
    fn more(&mut self) -> io::Result<bool> {
        self.count_lines(self.at);
        let done = self.at;
        self.at = 0;
        self.counted = 0;
        self.window.more(done)
    }

    fn count_lines(&mut self, to: usize) {
        if to > self.counted {
            self.line += memchr_iter(b'\n', &self.window.bytes()[self.counted..to]).count() as u64;
            self.counted = to;
        }
    }

    /// If the object here is a page (`{"@odata.context":…,"value":[`), enters its array.
    fn enter_page(&mut self) -> io::Result<bool> {
        loop {
            match page_start(&self.window.bytes()[self.at..]) {
                Page::No => return Ok(false),
                Page::Enters(n, next_link) => {
                    self.at += n;
                    self.next_link |= next_link;
                    self.pages += 1;
                    self.links += u64::from(next_link);
                    return Ok(true);
                }
                Page::Unknown if self.window.at_end() || !self.more()? => return Ok(false),
                Page::Unknown => {}
            }
        }
    }

    /// If a member of a page stands here (`"@odata.nextLink":"…"`), skips it.
    fn page_member(&mut self) -> io::Result<bool> {
        loop {
            let b = &self.window.bytes()[self.at..];
            let member = || -> Result<(usize, bool), Stop> {
                let key_end = scan::string_end(b, 1)?;
                let colon = scan::space(b, key_end);
                match b.get(colon) {
                    Some(b':') => {}
                    Some(_) => return Err(Stop::Broken(colon)),
                    None => return Err(Stop::Incomplete),
                }
                let end = scan::value_end(b, scan::space(b, colon + 1))?;
                Ok((end, b[..key_end].windows(8).any(|w| w.eq_ignore_ascii_case(b"nextlink"))))
            };
            match member() {
                Ok((n, next_link)) => {
                    self.at += n;
                    self.next_link |= next_link;
                    self.links += u64::from(next_link);
                    return Ok(true);
                }
                Err(Stop::Incomplete) if b.len() < (1 << 20) && !self.window.at_end() => {
                    if !self.more()? {
                        return Ok(false);
                    }
                }
                Err(_) => return Ok(false),
            }
        }
    }

    fn record(&mut self, slots: &mut Slots) -> io::Result<Item> {
        if self.layout == Layout::Lines {
            return self.line_record(slots);
        }
        let mut strict_at = 1 << 20;
        loop {
            let held = &self.window.bytes()[self.at..];
            match slots.scan(held, 0) {
                Ok(length) => return Ok(self.item(length)),
                Err(Stop::Broken(_)) => return self.resync(Bad::Json),
                Err(Stop::Incomplete) if held.len() >= MAX_RECORD => return self.resync(Bad::TooLong),
                Err(Stop::Incomplete) if held.len() >= strict_at && !unfinished(held) => return self.resync(Bad::Json),
                Err(Stop::Incomplete) => {
                    strict_at = held.len().saturating_mul(2).max(strict_at);
                    if !self.more()? {
                        return self.resync(Bad::Truncated);
                    }
                }
            }
        }
    }

    /// A record in a file that holds one a line: the line is the limit, unless strict JSON goes on after it.
    fn line_record(&mut self, slots: &mut Slots) -> io::Result<Item> {
        loop {
            let held = &self.window.bytes()[self.at..];
            let end = match memchr(b'\n', held) {
                Some(n) => n,
                None if self.window.at_end() => held.len(),
                None if held.len() >= MAX_RECORD => return self.resync(Bad::TooLong),
                None => {
                    self.more()?;
                    continue;
                }
            };
            return match slots.scan(&held[..end], 0) {
                Ok(length) => Ok(self.item(length)),
                Err(_) if end >= held.len() => self.resync(Bad::Truncated),
                Err(Stop::Broken(_)) => self.resync(Bad::Json),
                Err(Stop::Incomplete) if !unfinished(&held[..held.len().min(end + 4096)]) => self.resync(Bad::Json),
                Err(Stop::Incomplete) => self.spanning_record(slots),
            };
        }
    }

    /// An indented record among lines.
    fn spanning_record(&mut self, slots: &mut Slots) -> io::Result<Item> {
        loop {
            let held = &self.window.bytes()[self.at..];
            match slots.scan(held, 0) {
                Ok(length) => return Ok(self.item(length)),
                Err(Stop::Incomplete) if held.len() < MAX_RECORD && unfinished(held) => {
                    if !self.more()? {
                        return self.resync(Bad::Truncated);
                    }
                }
                Err(_) => return self.resync(Bad::Json),
            }
        }
    }

    fn item(&mut self, length: usize) -> Item {
        self.count_lines(self.at);
        let bad = (length > MAX_RECORD).then_some(Bad::TooLong);
        let item = Item { offset: self.position(), length: length as u64, line: self.line, bad };
        self.at += length;
        item
    }

    fn garbage(&mut self) -> io::Result<Item> {
        self.resync(Bad::Json)
    }

    /// Rejects from here to where the next record may start.
    fn resync(&mut self, bad: Bad) -> io::Result<Item> {
        self.count_lines(self.at);
        let (offset, line) = (self.position(), self.line);
        // a stream that was just positioned holds nothing yet
        if self.at >= self.window.bytes().len() {
            self.more()?;
        }
        self.at = (self.at + 1).min(self.window.bytes().len());
        loop {
            let rest = &self.window.bytes()[self.at..];
            let found = match &self.layout {
                Layout::Lines => memchr(b'\n', rest),
                Layout::Between { pattern, start } => memmem::find(rest, pattern).map(|n| n + start),
                Layout::Unknown => next_line_object(rest),
            };
            if let Some(n) = found {
                self.at += n;
                break;
            }
            // keep what may be the beginning of a separator
            let keep = rest.len().min(128);
            self.at += rest.len() - keep;
            if self.window.at_end() || !self.more()? {
                self.at = self.window.bytes().len();
                break;
            }
        }
        let length = self.position() - offset;
        Ok(Item { offset, length, line, bad: Some(bad) })
    }
}

/// A line that begins with a brace, after any blank.
fn next_line_object(rest: &[u8]) -> Option<usize> {
    memchr_iter(b'\n', rest).find(|n| rest.get(scan::space(rest, *n)) == Some(&b'{'))
}

/// Whether strict JSON says no more than that the value is not finished.
fn unfinished(bytes: &[u8]) -> bool {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<serde::de::IgnoredAny>();
    match values.next() {
        Some(Err(e)) => e.is_eof(),
        _ => true,
    }
}

enum Page {
    No,
    Unknown,
    Enters(usize, bool),
}

/// Whether the object at the start of `b` is a page of records, and where its records begin.
fn page_start(b: &[u8]) -> Page {
    let mut i = scan::space(b, 1);
    let mut next_link = false;
    loop {
        match b.get(i) {
            Some(b'"') => {}
            Some(_) => return Page::No,
            None => return Page::Unknown,
        }
        let Ok(key_end) = scan::string_end(b, i + 1) else { return Page::Unknown };
        let key = &b[i + 1..key_end - 1];
        let records = key == b"value" || key == b"records" || key == b"Records";
        if !records && !key.starts_with(b"@odata.") && key != b"ClassName" {
            return Page::No;
        }
        let colon = scan::space(b, key_end);
        let value = scan::space(b, colon + 1);
        match (b.get(colon), b.get(value)) {
            (None, _) | (_, None) => return Page::Unknown,
            (Some(b':'), Some(b'[')) if records => return Page::Enters(value + 1, next_link),
            (Some(b':'), Some(_)) if !records => {}
            _ => return Page::No,
        }
        next_link |= key.ends_with(b"nextLink");
        match scan::value_end(b, value) {
            Err(Stop::Incomplete) => return Page::Unknown,
            Err(Stop::Broken(_)) => return Page::No,
            Ok(end) => {
                i = scan::space(b, end);
                match b.get(i) {
                    Some(b',') => i = scan::space(b, i + 1),
                    Some(_) => return Page::No,
                    None => return Page::Unknown,
                }
            }
        }
    }
}

/// How records are laid out, from the beginning of a file.
pub fn layout(head: &[u8]) -> Layout {
    let mut slots = Slots::default();
    let mut at = 0;
    let mut ends: Option<usize> = None;
    loop {
        while let Some(b' ' | b'\n' | b'\r' | b'\t' | b',' | b'[' | b']' | b'}' | 0xef | 0xbb | 0xbf) = head.get(at) {
            at += 1;
        }
        if head.get(at) != Some(&b'{') {
            return Layout::Unknown;
        }
        if let Page::Enters(n, _) = page_start(&head[at..]) {
            at += n;
            continue;
        }
        let Ok(length) = slots.scan(&head[at..], 0) else {
            // the first record is longer than what we see, or damaged: a line that holds an object is a record
            return if ends.is_none()
                && memchr(b'\n', &head[at..]).is_some_and(|n| head[at..at + n].trim_ascii_end().ends_with(b"}"))
            {
                Layout::Lines
            } else {
                Layout::Unknown
            };
        };
        let one_line = memchr(b'\n', &head[at..at + length]).is_none();
        if let Some(end) = ends {
            // between the end of one record and the first member of the next
            let key = scan::space(head, at + 1);
            let Ok(stop) = scan::string_end(head, key + 1) else { return Layout::Unknown };
            return Layout::Between { pattern: head[end - 1..stop].to_vec(), start: at - (end - 1) };
        }
        let after = &head[at + length..];
        let blank = after.iter().take_while(|b| matches!(b, b' ' | b'\r' | b'\t' | b',')).count();
        if one_line && matches!(after.get(blank), Some(b'\n') | None) {
            return Layout::Lines;
        }
        ends = Some(at + length);
        at += length;
    }
}
