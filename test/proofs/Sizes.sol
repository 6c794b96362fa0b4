// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title Sizes: random numbers of every size
library Sizes {
    /// @notice `value`, or part of it: of random numbers of 256 bits nearly none is small, and nearly none is next to a
    /// power of two, where a width ends.
    function any(uint256 value, uint256 size) internal pure returns (uint256) {
        uint256 bits = size % 256;
        uint256 kind = (size >> 8) % 4;
        unchecked {
            if (kind == 0) return value;
            if (kind == 1) return value >> bits;
            if (kind == 2) return (1 << bits) + (value % 3) - 1;
            return type(uint256).max - (value >> bits);
        }
    }

    /// @notice One that fits `width` bits.
    function within(uint256 value, uint256 size, uint256 width) internal pure returns (uint256) {
        return any(value, size) & ((1 << width) - 1);
    }
}
