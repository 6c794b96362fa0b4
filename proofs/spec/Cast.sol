// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title Cast: what stands in the proofs for `uint96(x)` and its like
/// @notice That a conversion cuts nothing off is demanded wherever one is made. Then it does not change the value: the
/// assembly makes the model checker forget what it knows of `same`, and the requirement tells it.
library Cast {
    function to8(uint256 value) internal pure returns (uint8 same) {
        assert(value <= type(uint8).max);
        assembly ("memory-safe") {
            same := value
        }
        require(same == value);
    }

    function to16(uint256 value) internal pure returns (uint16 same) {
        assert(value <= type(uint16).max);
        assembly ("memory-safe") {
            same := value
        }
        require(same == value);
    }

    function to24(uint256 value) internal pure returns (uint24 same) {
        assert(value <= type(uint24).max);
        assembly ("memory-safe") {
            same := value
        }
        require(same == value);
    }

    function to32(uint256 value) internal pure returns (uint32 same) {
        assert(value <= type(uint32).max);
        assembly ("memory-safe") {
            same := value
        }
        require(same == value);
    }

    function to40(uint256 value) internal pure returns (uint40 same) {
        assert(value <= type(uint40).max);
        assembly ("memory-safe") {
            same := value
        }
        require(same == value);
    }

    function to56(uint256 value) internal pure returns (uint56 same) {
        assert(value <= type(uint56).max);
        assembly ("memory-safe") {
            same := value
        }
        require(same == value);
    }

    function to64(uint256 value) internal pure returns (uint64 same) {
        assert(value <= type(uint64).max);
        assembly ("memory-safe") {
            same := value
        }
        require(same == value);
    }

    function to96(uint256 value) internal pure returns (uint96 same) {
        assert(value <= type(uint96).max);
        assembly ("memory-safe") {
            same := value
        }
        require(same == value);
    }
}
