// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title Serials
/// @notice A list of 40-bit numbers, six to a word. The first lane of the first word holds the length, so that a short
/// list costs one word in all.
library Serials {
    struct List {
        mapping(uint256 word => uint256 lanes) words;
    }

    /// @notice The largest number a lane can hold.
    uint256 internal constant MAX = type(uint40).max;

    uint256 private constant LANE_BITS = 40;
    uint256 private constant LANES = 6;

    function length(List storage list) internal view returns (uint256) {
        return _read(list, 0);
    }

    function serialAt(List storage list, uint256 position) internal view returns (uint256) {
        return _read(list, position + 1);
    }

    /// @notice Appends `serial`, which must not exceed `MAX`, and returns its position.
    /// @dev Lanes past the end are zero, so that adding is writing, and the first five numbers take one write.
    function push(List storage list, uint256 serial) internal returns (uint256 position) {
        uint256 word = list.words[0] + 1;
        uint256 lane = word & MAX;
        uint256 shifted = serial << ((lane % LANES) * LANE_BITS);
        list.words[0] = lane < LANES ? word + shifted : word;
        if (lane >= LANES) list.words[lane / LANES] += shifted;
        return lane - 1;
    }

    /// @notice Takes out the number at `position`; the last number moves into the gap.
    function remove(List storage list, uint256 position) internal returns (uint256 removed, uint256 moved) {
        uint256 last = length(list) - 1;
        removed = serialAt(list, position);
        moved = serialAt(list, last);
        _write(list, position + 1, moved);
        _write(list, last + 1, 0);
        _write(list, 0, last);
    }

    function _read(List storage list, uint256 lane) private view returns (uint256) {
        return (list.words[lane / LANES] >> ((lane % LANES) * LANE_BITS)) & MAX;
    }

    function _write(List storage list, uint256 lane, uint256 value) private {
        uint256 shift = (lane % LANES) * LANE_BITS;
        uint256 word = list.words[lane / LANES];
        list.words[lane / LANES] = (word & ~(MAX << shift)) | (value << shift);
    }
}
