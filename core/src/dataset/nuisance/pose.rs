//! How the head is held, from five landmarks.
//!
//! Yaw: how far the nose is from the middle of eyes and mouth, along the line of the eyes, in distances of the eyes. It is 0 from the
//! front, more to the picture's right, and no angle: that would need the nose's length. Roll: the angle of the line of the eyes, in degrees,
//! more where the eye on the picture's right is lower.

/// Yaw and roll.
pub(super) fn pose(landmarks: &[[f64; 2]; 5]) -> [f64; 2] {
    let [left, right, nose, mouth_left, mouth_right] = *landmarks;
    let (across, down) = (right[0] - left[0], right[1] - left[1]);
    let apart = (across * across + down * down).sqrt();
    if apart <= 0.0 {
        return [f64::NAN; 2];
    }
    let middle = [0, 1].map(|axis| (left[axis] + right[axis] + mouth_left[axis] + mouth_right[axis]) / 4.0);
    let yaw = ((nose[0] - middle[0]) * across + (nose[1] - middle[1]) * down) / (apart * apart);
    [yaw, libm::atan2(down, across).to_degrees()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRONT: [[f64; 2]; 5] = [[30.0, 40.0], [70.0, 40.0], [50.0, 60.0], [35.0, 80.0], [65.0, 80.0]];

    #[test]
    fn a_face_from_the_front_has_no_yaw_and_no_roll() {
        assert!(pose(&FRONT).iter().all(|of| of.abs() < 1e-12));
        assert!(pose(&[[5.0, 5.0], [5.0, 5.0], [1.0, 2.0], [3.0, 4.0], [9.0, 9.0]]).iter().all(|of| of.is_nan()));
    }

    #[test]
    fn a_nose_to_the_right_is_yaw_and_a_turned_picture_is_roll_alone() {
        let mut turned = FRONT;
        turned[2][0] += 10.0;
        assert!((pose(&turned)[0] - 0.25).abs() < 1e-12);
        // By 30 degrees about the origin.
        let (cosine, sine) = (libm::cos(std::f64::consts::FRAC_PI_6), libm::sin(std::f64::consts::FRAC_PI_6));
        let tilted = turned.map(|[x, y]| [x * cosine - y * sine, x * sine + y * cosine]);
        let [yaw, roll] = pose(&tilted);
        assert!((yaw - 0.25).abs() < 1e-12 && (roll - 30.0).abs() < 1e-9);
    }
}
