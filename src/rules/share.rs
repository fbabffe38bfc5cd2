//! Shares: how the messages of one claim are divided among the organizations that have something due. Nobody waits for another's burst.

/// An equal part of the messages for each queue, what is left over to the first ones, and none more than it may have: what one may not
/// have goes to the others. `most` is in the order of the queues, the one with the oldest message first.
#[must_use]
pub fn shares(most: &[i32], messages: i32) -> Vec<i32> {
    let (mut level, mut left) = (0, messages.max(0));
    // All that may have more than the level rise together, to the next that may not.
    loop {
        let open = most.iter().filter(|&&most| most > level);
        let (Ok(queues), Some(&next)) = (i32::try_from(open.clone().count()), open.min()) else { break };
        let step = (left / queues).min(next - level);
        if step == 0 {
            break;
        }
        level += step;
        left -= step * queues;
    }
    let share = |&most: &i32| {
        let more = i32::from(left > 0 && most > level);
        left -= more;
        most.min(level).max(0) + more
    };
    most.iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_gets_an_equal_part_and_the_first_ones_what_is_left_over() {
        assert_eq!(shares(&[100, 100, 100], 100), [34, 33, 33]);
        assert_eq!(shares(&[100, 100, 100], 2), [1, 1, 0]);
        assert_eq!(shares(&[], 100), Vec::<i32>::new());
        assert_eq!(shares(&[5], 0), [0]);
        assert_eq!(shares(&[5], -1), [0]);
    }

    #[test]
    fn what_one_may_not_have_goes_to_the_others() {
        assert_eq!(shares(&[10, 100, 0], 100), [10, 90, 0]);
        assert_eq!(shares(&[1, 2, 3, 100], 20), [1, 2, 3, 14]);
        assert_eq!(shares(&[0, 1], 1), [0, 1]);
    }

    #[test]
    fn all_is_given_out_that_may_be_and_nobody_gets_more_than_they_may() {
        for seed in 0..2_000_u32 {
            let most: Vec<i32> = (0..seed % 13).map(|queue| ((seed * 31 + queue * 17) % 23).cast_signed()).collect();
            let messages = (seed * 7 % 101).cast_signed();
            let given = shares(&most, messages);
            assert!(given.iter().zip(&most).all(|(given, most)| (0..=*most).contains(given)), "{most:?} {messages}");
            assert_eq!(given.iter().sum::<i32>(), messages.min(most.iter().sum()), "{most:?} {messages}");
            let lowest_open =
                given.iter().zip(&most).filter(|(given, most)| given < most).map(|(given, _)| *given).min();
            if let Some(lowest) = lowest_open {
                assert!(given.iter().all(|given| *given <= lowest + 1), "{most:?} {messages}: {given:?}");
            }
        }
    }
}
