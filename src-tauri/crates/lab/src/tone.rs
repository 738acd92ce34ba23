//! What the Lab has for a voice: one tone for each character.

/// Milliseconds a character is heard.
const LENGTH: u32 = 20;
/// Characters of one piece of text that are heard, so that a piece stays a piece.
const MOST: usize = 40;

/// Sound for `text`: signed 16-bit little-endian samples on one channel, `rate` of them a second. Tones fade at both ends, so that they
/// follow each other without a click.
pub(crate) fn hum(text: &str, rate: u32) -> Vec<u8> {
    let samples = rate * LENGTH / 1000;
    let mut sound = Vec::new();
    for letter in text.chars().take(MOST) {
        let pitch = 220.0 * 2_f64.powf(f64::from(u32::from(letter) % 24) / 12.0);
        for at in 0..samples {
            let fade = f64::from(at.min(samples - at).min(60)) / 60.0;
            let wave = (f64::from(at) * pitch * std::f64::consts::TAU / f64::from(rate)).sin();
            sound.extend_from_slice(&((wave * fade * 8000.0) as i16).to_le_bytes());
        }
    }
    sound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_is_heard_for_its_time() {
        assert_eq!(hum("ab", 24_000).len(), 2 * 480 * 2);
        assert_eq!(hum("é", 8000).len(), 160 * 2);
        assert!(hum("", 24_000).is_empty());
        assert!(hum("a", 24_000).iter().any(|byte| *byte != 0));
    }
}
