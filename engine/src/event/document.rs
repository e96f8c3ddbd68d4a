//! JSON as one row of small nodes and one text: what a tape becomes before anything looks at it.
//!
//! A list or map says where it ends, so that one can step over it without looking inside; texts are ranges of the
//! arena. Both buffers are used again for the next document: once warm, a document costs no allocation. Of equal keys
//! the last one wins here, once and for all: the others are dead entries that nobody sees. Depth is bounded by
//! [`crate::limits::JSON_DEPTH_MAX`] where documents are made, so walking one down may recurse.

/// A value, 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Number(f64),
    /// A range of the arena; a key or a value.
    Text {
        start: u32,
        len: u32,
    },
    /// `end` is one past its last node.
    List {
        len: u32,
        end: u32,
    },
    /// Keys and values in turn. `len` counts the keys that are alive.
    Map {
        len: u32,
        end: u32,
    },
    /// Stands for a key that the same map has again further on; its value follows.
    DeadKey,
}

/// The nodes and the text of one document.
#[derive(Debug, Default)]
pub(crate) struct Document {
    pub(crate) nodes: Vec<Node>,
    pub(crate) arena: String,
}

impl Document {
    pub(crate) fn clear(&mut self) {
        self.nodes.clear();
        self.arena.clear();
    }

    pub(crate) fn text(&self, start: u32, len: u32) -> &str {
        self.arena.get(start as usize..start as usize + len as usize).unwrap_or("")
    }

    pub(crate) fn node(&self, at: u32) -> Node {
        self.nodes.get(at as usize).copied().unwrap_or(Node::Null)
    }

    /// One past the value that begins at `at`.
    pub(crate) fn after(&self, at: u32) -> u32 {
        match self.node(at) {
            Node::List { end, .. } | Node::Map { end, .. } => end,
            _ => at + 1,
        }
    }

    pub(crate) fn json(&self, at: u32) -> Json<'_> {
        Json { doc: self, at, merge: false }
    }
}

/// A place in a document: all that evaluation sees of JSON. `merge` marks what is read as a merge patch says it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'a> {
    pub(crate) doc: &'a Document,
    pub(crate) at: u32,
    pub(crate) merge: bool,
}

impl<'a> Json<'a> {
    pub(crate) fn node(self) -> Node {
        self.doc.node(self.at)
    }

    pub(crate) fn is_map(self) -> bool {
        matches!(self.node(), Node::Map { .. })
    }

    pub(crate) fn is_null(self) -> bool {
        self.node() == Node::Null
    }

    pub(crate) fn as_text(self) -> Option<&'a str> {
        match self.node() {
            Node::Text { start, len } => Some(self.doc.text(start, len)),
            _ => None,
        }
    }

    /// The value under a key of a map; of anything else nothing.
    pub(crate) fn get(self, key: &str) -> Option<Json<'a>> {
        self.entries().find(|(k, _)| *k == key).map(|(_, value)| value)
    }

    /// Down a path of keys.
    pub(crate) fn path(self, keys: &[&str]) -> Option<Json<'a>> {
        keys.iter().try_fold(self, |at, key| at.get(key))
    }

    /// The living entries of a map, in the order of the document; a merge patch's `$` keys are passed over.
    pub(crate) fn entries(self) -> impl Iterator<Item = (&'a str, Json<'a>)> {
        let (mut at, end) = match self.node() {
            Node::Map { end, .. } => (self.at + 1, end),
            _ => (0, 0),
        };
        let Json { doc, merge, .. } = self;
        std::iter::from_fn(move || {
            while at < end {
                let (key, value) = (at, at + 1);
                at = doc.after(value);
                if let Node::Text { start, len } = doc.node(key) {
                    let key = doc.text(start, len);
                    if !(merge && key.starts_with('$')) {
                        return Some((key, Json { doc, at: value, merge }));
                    }
                }
            }
            None
        })
    }

    /// The elements of a list; of anything else none.
    pub(crate) fn items(self) -> impl Iterator<Item = Json<'a>> {
        let (mut at, end) = match self.node() {
            Node::List { end, .. } => (self.at + 1, end),
            _ => (0, 0),
        };
        let Json { doc, merge, .. } = self;
        std::iter::from_fn(move || {
            (at < end).then(|| {
                let item = Json { doc, at, merge };
                at = doc.after(at);
                item
            })
        })
    }
}
