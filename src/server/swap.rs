//! A variable of this backend that has another value while something is done, and its previous one afterwards.

use std::cell::Cell;
use std::thread::LocalKey;

/// Does `work` while the variable has this value. Puts the previous one back after it, and while an error unwinds.
pub fn with<V: Copy + 'static, T>(variable: &'static LocalKey<Cell<V>>, value: V, work: impl FnOnce() -> T) -> T {
    let _restored = Restored { variable, previous: variable.replace(value) };
    work()
}

struct Restored<V: Copy + 'static> {
    variable: &'static LocalKey<Cell<V>>,
    previous: V,
}

impl<V: Copy + 'static> Drop for Restored<V> {
    fn drop(&mut self) {
        self.variable.set(self.previous);
    }
}
