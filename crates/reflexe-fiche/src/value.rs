//! A value of a column, as judging and wording see it.
use std::collections::{BTreeSet, btree_set};

use jiff::Timestamp;

/// One value. NULL is the absence of a value in a set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// A yes or no.
    Bool(bool),
    /// A number.
    Int(i64),
    /// A number with decimals, in thousandths: ordered and comparable.
    Milli(i64),
    /// An instant.
    Time(Timestamp),
    /// A text.
    Text(String),
}

/// The distinct values of a column over the folded rows, sorted. Empty: unknown.
pub type Values = Few<Value>;

/// A sorted set whose least member lies in place: most have that one alone, and a tree for one is ten times as large.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Few<T> {
    least: Option<T>,
    rest: BTreeSet<T>,
}

/// Members of a [`Few`], in order.
pub type Members<'a, T> = std::iter::Chain<std::option::Iter<'a, T>, btree_set::Iter<'a, T>>;

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self { least: None, rest: BTreeSet::new() }
    }
}

impl<T: Ord> Few<T> {
    /// Adds a member, if it is not there.
    pub fn insert(&mut self, new: T) {
        match &mut self.least {
            None => self.least = Some(new),
            Some(least) if new < *least => drop(self.rest.insert(std::mem::replace(least, new))),
            Some(least) if new == *least => {}
            Some(_) => drop(self.rest.insert(new)),
        }
    }

    /// The least member.
    pub fn first(&self) -> Option<&T> {
        self.least.as_ref()
    }

    /// The greatest member.
    pub fn last(&self) -> Option<&T> {
        self.rest.last().or(self.least.as_ref())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        usize::from(self.least.is_some()) + self.rest.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.least.is_none()
    }

    /// Whether it is a member.
    pub fn contains<Q: Ord + ?Sized>(&self, what: &Q) -> bool
    where
        T: std::borrow::Borrow<Q>,
    {
        self.least.as_ref().is_some_and(|least| least.borrow() == what) || self.rest.contains(what)
    }

    /// All, in order.
    pub fn iter(&self) -> Members<'_, T> {
        self.least.iter().chain(self.rest.iter())
    }
}

impl<'a, T: Ord> IntoIterator for &'a Few<T> {
    type Item = &'a T;
    type IntoIter = Members<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T> IntoIterator for Few<T> {
    type Item = T;
    type IntoIter = std::iter::Chain<std::option::IntoIter<T>, btree_set::IntoIter<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.least.into_iter().chain(self.rest)
    }
}

impl<T: Ord> Extend<T> for Few<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, more: I) {
        more.into_iter().for_each(|one| self.insert(one));
    }
}

impl<T: Ord> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(all: I) -> Self {
        let mut few = Self::default();
        few.extend(all);
        few
    }
}

impl<T: Ord, const N: usize> From<[T; N]> for Few<T> {
    fn from(all: [T; N]) -> Self {
        all.into_iter().collect()
    }
}

impl Value {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(t) => Some(t),
            _ => None,
        }
    }

    /// The value as one text, the same in every language: for keys and links.
    pub fn shown(&self) -> String {
        match self {
            Self::Text(t) => t.clone(),
            Self::Int(n) => n.to_string(),
            Self::Bool(b) => b.to_string(),
            Self::Milli(n) => format!("{n}e-3"),
            Self::Time(t) => t.to_string(),
        }
    }

    /// The instant, if it is one.
    pub fn as_time(&self) -> Option<Timestamp> {
        match self {
            Self::Time(t) => Some(*t),
            _ => None,
        }
    }

    /// The whole number, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            Self::Milli(n) => Some(n / 1000),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_the_set_that_a_tree_would_be() {
        for order in [[3, 1, 2, 1, 3], [1, 2, 3, 3, 2], [3, 2, 1, 1, 1]] {
            let (few, tree): (Few<i32>, BTreeSet<i32>) = (order.into(), order.into());
            assert!(few.iter().eq(&tree), "{few:?}");
            assert_eq!((few.len(), few.first(), few.last()), (tree.len(), tree.first(), tree.last()));
            assert!((0..5).all(|n| few.contains(&n) == tree.contains(&n)));
            assert!(few.into_iter().eq(tree));
        }
        assert!(Few::<i32>::default().is_empty() && Few::<i32>::default().last().is_none());
        assert!(Few::from([1]) < Few::from([1, 2]) && Few::from([1, 5]) < Few::from([2]));
    }
}
