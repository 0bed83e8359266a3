//! The calls and imports in which values are made.
//!
//! A frame is the call of one function at one place inside another frame. Equal frames are one:
//! a fold over two million numbers calls its function in one frame, and a frame is a number that
//! needs neither counting nor freeing. What is kept is bounded:
//!
//! - a call that has come about inside itself [`REPEATS`] times is the innermost of those times, so
//!   that a recursion of any depth keeps its outermost laps and its last one,
//! - the fuller the table, the fewer repetitions are told apart,
//! - a table that is full takes no more, and what is called from then on belongs to the frame
//!   around it.

#[cfg(feature = "provenance")]
pub(crate) use kept::{Callee, Frame, Frames, Kind};
#[cfg(not(feature = "provenance"))]
pub(crate) use left_out::{Callee, Frame, Frames};

#[cfg(feature = "provenance")]
mod kept {
    use std::cell::{Cell, RefCell};

    use rustc_hash::FxHashMap;

    use crate::value::{Made, account, refund};

    /// How often one call may come about inside itself and still be told apart.
    const REPEATS: u32 = 8;
    /// The same for a table of more than [`MANY`] and of more than [`VERY_MANY`] frames.
    const REPEATS_AMONG_MANY: u32 = 2;
    const REPEATS_AMONG_VERY_MANY: u32 = 1;
    const MANY: usize = 1 << 15;
    const VERY_MANY: usize = 1 << 17;
    /// A full table, and the longest chain.
    const MOST: usize = 1 << 19;
    const DEEPEST: u32 = 1 << 10;
    /// What a frame takes, with its entry in the index, in bytes.
    const WEIGHT: usize = 56;
    /// How many recent answers are at hand; a power of two.
    const RECENT: usize = 1 << 12;

    /// A call or import among those of an evaluator. Takes three bytes in [`Made`].
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(crate) struct Frame(pub(crate) u32);

    impl Frame {
        /// Outside of every call.
        pub(crate) const ENTRY: Self = Self(0);
    }

    /// What is called: a function or a file, by the position of its expression.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub(crate) struct Callee(u32);

    const FILE: u32 = 1 << 31;

    /// What is called.
    pub(crate) enum Kind {
        /// A function, by the position of its expression.
        Function(u32),
        /// A file, by the position of its outermost expression.
        File(u32),
    }

    impl Callee {
        pub(crate) fn function(position: u32) -> Self {
            Self(position)
        }

        pub(crate) fn file(position: u32) -> Self {
            Self(position | FILE)
        }

        pub(crate) fn kind(self) -> Kind {
            if self.0 & FILE == 0 {
                Kind::Function(self.0)
            } else {
                Kind::File(self.0 & !FILE)
            }
        }
    }

    /// One call of one function at one place.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
    struct Call {
        parent: u32,
        site: u32,
        callee: Callee,
    }

    /// One frame, as the table keeps it.
    #[derive(Clone, Copy)]
    pub(crate) struct FrameData {
        call: Call,
        depth: u32,
        /// Whether it stands for further calls inside itself as well.
        pub(crate) repeats: bool,
    }

    impl FrameData {
        pub(crate) fn parent(&self) -> Frame {
            Frame(self.call.parent)
        }

        /// The position of the call; 0 when it has none.
        pub(crate) fn site(&self) -> u32 {
            self.call.site
        }

        pub(crate) fn callee(&self) -> Callee {
            self.call.callee
        }
    }

    #[derive(Default)]
    struct Table {
        /// Frame `n` is entry `n - 1`.
        frames: Vec<FrameData>,
        known: FxHashMap<Call, u32>,
    }

    /// All frames of an evaluator.
    pub(crate) struct Frames {
        table: RefCell<Table>,
        /// Answers given lately, by a few bits of what was asked.
        recent: Box<[Cell<(Call, u32)>; RECENT]>,
    }

    impl Frames {
        pub(crate) fn new() -> Self {
            Self {
                table: RefCell::default(),
                recent: Box::new(
                    [const {
                        let nobody = Call {
                            parent: u32::MAX,
                            site: 0,
                            callee: Callee(0),
                        };
                        Cell::new((nobody, 0))
                    }; RECENT],
                ),
            }
        }

        /// The frame of a call: `made` is the call's expression and the frame that it stands in.
        #[inline]
        pub(crate) fn enter(&self, made: Made, callee: Callee) -> Frame {
            let call = Call {
                parent: made.frame().0,
                site: made.position(),
                callee,
            };
            let mixed = (call.site ^ call.parent.rotate_left(16)).wrapping_mul(0x9e37_79b1)
                ^ callee.0.wrapping_mul(0x85eb_ca77);
            let Some(recent) = self.recent.get(mixed as usize >> 20) else {
                return self.find(call);
            };
            let (asked, frame) = recent.get();
            if asked == call {
                return Frame(frame);
            }
            let frame = self.find(call);
            recent.set((call, frame.0));
            frame
        }

        #[inline(never)]
        fn find(&self, call: Call) -> Frame {
            let mut table = self.table.borrow_mut();
            if let Some(&frame) = table.known.get(&call) {
                return Frame(frame);
            }
            let frame = table.place(call);
            if table.known.len() < MOST {
                table.known.insert(call, frame);
                account(WEIGHT);
            }
            Frame(frame)
        }

        /// What is known of a frame; nothing of [`Frame::ENTRY`].
        pub(crate) fn get(&self, frame: Frame) -> Option<FrameData> {
            let table = self.table.borrow();
            table.frames.get((frame.0 as usize).checked_sub(1)?).copied()
        }
    }

    impl Table {
        /// The frame for a call that was not met before.
        fn place(&mut self, call: Call) -> u32 {
            let bound = match self.frames.len() {
                VERY_MANY.. => REPEATS_AMONG_VERY_MANY,
                MANY.. => REPEATS_AMONG_MANY,
                _ => REPEATS,
            };
            if self.frames.len() >= MOST {
                return call.parent;
            }
            let at = |frame: u32| (frame as usize).checked_sub(1);
            let mut repeated = 0;
            let mut innermost = None;
            let mut frame = call.parent;
            while let Some(index) = at(frame)
                && let Some(data) = self.frames.get(index)
            {
                if data.call.site == call.site && data.call.callee == call.callee {
                    innermost.get_or_insert(frame);
                    repeated += 1;
                    if repeated == bound {
                        break;
                    }
                }
                frame = data.call.parent;
            }
            let depth = at(call.parent)
                .and_then(|index| self.frames.get(index))
                .map_or(0, |data| data.depth);
            if repeated == bound || depth >= DEEPEST {
                let stands_for_it = match innermost {
                    Some(frame) if repeated == bound => frame,
                    _ => call.parent,
                };
                if let Some(data) = at(stands_for_it).and_then(|index| self.frames.get_mut(index)) {
                    data.repeats = true;
                }
                return stands_for_it;
            }
            self.frames.push(FrameData {
                call,
                depth: depth + 1,
                repeats: false,
            });
            self.frames.len() as u32
        }
    }

    impl Drop for Frames {
        fn drop(&mut self) {
            refund(self.table.borrow().known.len() * WEIGHT);
        }
    }
}

#[cfg(all(test, feature = "provenance"))]
mod tests {
    use super::{Callee, Frame, Frames};
    use crate::value::Made;

    fn depth(frames: &Frames, frame: Frame) -> usize {
        std::iter::successors(frames.get(frame), |it| frames.get(it.parent())).count()
    }

    #[test]
    fn equal_calls_are_one_frame() {
        let frames = Frames::new();
        let call = |site, callee| frames.enter(Made::at(site, Frame::ENTRY), Callee::function(callee));
        assert_eq!(call(1, 2), call(1, 2));
        assert_ne!(call(1, 2), call(2, 2));
        assert_ne!(call(1, 2), call(1, 3));
    }

    #[test]
    fn a_recursion_of_any_depth_ends_in_one_frame_that_says_so() {
        let frames = Frames::new();
        let mut frame = Frame::ENTRY;
        for _ in 0..100_000 {
            frame = frames.enter(Made::at(7, frame), Callee::function(3));
        }
        assert_eq!(depth(&frames, frame), 8);
        assert!(frames.get(frame).is_some_and(|it| it.repeats));
    }

    #[test]
    fn calls_without_any_order_fill_the_table_and_no_more() {
        let frames = Frames::new();
        let mut frame = Frame::ENTRY;
        let mut state = 1u32;
        let mut highest = 0;
        for _ in 0..3_000_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let from = if state >> 30 == 0 { Frame::ENTRY } else { frame };
            frame = frames.enter(Made::at(1 + (state >> 20 & 0xff), from), Callee::function(5));
            highest = highest.max(frame.0);
        }
        assert!(highest > 1 << 17, "{highest}");
        assert!(highest <= 1 << 19, "{highest}");
        assert!(depth(&frames, frame) <= 1 << 10);
    }
}

#[cfg(not(feature = "provenance"))]
mod left_out {
    use crate::value::Made;

    /// Nothing: provenance is compiled out.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(crate) struct Frame();

    impl Frame {
        pub(crate) const ENTRY: Self = Self();
    }

    /// Nothing: provenance is compiled out.
    pub(crate) struct Callee;

    impl Callee {
        pub(crate) fn function(_position: u32) -> Self {
            Self
        }

        pub(crate) fn file(_position: u32) -> Self {
            Self
        }
    }

    /// Nothing: provenance is compiled out.
    pub(crate) struct Frames;

    impl Frames {
        pub(crate) fn new() -> Self {
            Self
        }

        #[inline]
        #[allow(clippy::unused_self)]
        pub(crate) fn enter(&self, _made: Made, _callee: Callee) -> Frame {
            Frame::ENTRY
        }
    }
}
