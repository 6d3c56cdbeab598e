//! A prepared picture by its colours, whatever the order of its channels.

/// A square of three channels: 3 × size × size numbers of 0 … 255, channel by channel.
pub(super) struct Square<'a> {
    pub size: usize,
    /// In the order of the network.
    pub planes: &'a mut [u8],
    /// The channel of each colour: red, green, blue.
    pub channel: [usize; 3],
}

impl Square<'_> {
    /// Red, green, blue at a place.
    pub(super) fn colour(&self, at: usize) -> [u8; 3] {
        self.channel.map(|channel| self.planes[channel * self.size * self.size + at])
    }

    pub(super) fn set(&mut self, at: usize, colour: [u8; 3]) {
        for (channel, value) in self.channel.into_iter().zip(colour) {
            self.planes[channel * self.size * self.size + at] = value;
        }
    }

    /// Every colour, replaced by another.
    pub(super) fn map(&mut self, mut by: impl FnMut([u8; 3]) -> [u8; 3]) {
        for at in 0..self.size * self.size {
            let colour = by(self.colour(at));
            self.set(at, colour);
        }
    }

    /// The luma of every place, from 0 to 255.
    pub(super) fn lumas(&self) -> Vec<u8> {
        (0..self.size * self.size).map(|at| luma(self.colour(at))).collect()
    }
}

/// Rec. 601, in whole numbers.
pub(super) fn luma([red, green, blue]: [u8; 3]) -> u8 {
    ((299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue) + 500) / 1000) as u8
}
