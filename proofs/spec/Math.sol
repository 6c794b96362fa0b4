// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title Math, as the proofs take it
/// @notice What the functions of OpenZeppelin's Math that the contracts use are documented to do, said without assembly, of
/// which the model checker knows nothing. That theirs do the same is a property test (test/proofs/Math.t.sol).
library Math {
    function max(uint256 a, uint256 b) internal pure returns (uint256) {
        return a > b ? a : b;
    }

    function min(uint256 a, uint256 b) internal pure returns (uint256) {
        return a < b ? a : b;
    }

    function tryAdd(uint256 a, uint256 b) internal pure returns (bool success, uint256 result) {
        if (a > type(uint256).max - b) return (false, 0);
        return (true, a + b);
    }

    function tryMul(uint256 a, uint256 b) internal pure returns (bool success, uint256 result) {
        if (b != 0 && a > type(uint256).max / b) return (false, 0);
        return (true, a * b);
    }

    /// @dev Narrower than theirs: a product of more than 256 bits is a violation, so a proof shows that there is none.
    function mul512(uint256 a, uint256 b) internal pure returns (uint256 high, uint256 low) {
        return (0, a * b);
    }

    /// @dev As narrow.
    function mulDiv(uint256 x, uint256 y, uint256 denominator) internal pure returns (uint256 result) {
        return (x * y) / denominator;
    }

    function log2(uint256 x) internal pure returns (uint256 r) {
        if (x >= 2 ** 128) (x, r) = (x / 2 ** 128, r + 128);
        if (x >= 2 ** 64) (x, r) = (x / 2 ** 64, r + 64);
        if (x >= 2 ** 32) (x, r) = (x / 2 ** 32, r + 32);
        if (x >= 2 ** 16) (x, r) = (x / 2 ** 16, r + 16);
        if (x >= 2 ** 8) (x, r) = (x / 2 ** 8, r + 8);
        if (x >= 2 ** 4) (x, r) = (x / 2 ** 4, r + 4);
        if (x >= 2 ** 2) (x, r) = (x / 2 ** 2, r + 2);
        if (x >= 2) r = r + 1;
    }

    /// @dev No proof depends on it.
    function log256(uint256 x) internal pure returns (uint256) {
        return log2(x) / 8;
    }
}
