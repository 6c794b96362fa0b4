// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Math as Spec} from "../../proofs/spec/Math.sol";
import {Sizes} from "./Sizes.sol";

/// @title What the proofs take the functions of Math to do, they do
contract MathProperties {
    /// @notice Math.min and Math.max are the smaller and the larger number.
    function test_minAndMax(uint256 a, uint256 b, uint256 sizes) external pure {
        (a, b) = (Sizes.any(a, sizes), Sizes.any(b, sizes >> 16));
        assert(Math.min(a, b) == Spec.min(a, b) && Math.max(a, b) == Spec.max(a, b));
        assert(Math.min(a, a) == a && Math.max(a, a) == a);
    }

    /// @notice Math.tryAdd and Math.tryMul tell whether a sum and a product fit, and what they are.
    function test_tryAddAndTryMul(uint256 a, uint256 b, uint256 sizes) external pure {
        (a, b) = (Sizes.any(a, sizes), Sizes.any(b, sizes >> 16));
        (bool fits, uint256 result) = Math.tryAdd(a, b);
        (bool expectedFits, uint256 expected) = Spec.tryAdd(a, b);
        assert(fits == expectedFits && result == expected);
        (fits, result) = Math.tryMul(a, b);
        (expectedFits, expected) = Spec.tryMul(a, b);
        assert(fits == expectedFits && result == expected);
    }

    /// @notice Math.mul512 is the product, as one multiplies on paper with digits of 128 bits.
    function test_mul512(uint256 a, uint256 b, uint256 sizes) external pure {
        (a, b) = (Sizes.any(a, sizes), Sizes.any(b, sizes >> 16));
        (uint256 high, uint256 low) = Math.mul512(a, b);
        (uint256 onPaperHigh, uint256 onPaperLow) = _onPaper(a, b);
        assert(high == onPaperHigh && low == onPaperLow);
    }

    /// @notice Math.mulDiv times the divisor, and a remainder smaller than that, is the product, however large.
    function test_mulDiv(uint256 a, uint256 b, uint256 divisor, uint256 sizes) external pure {
        (a, b, divisor) = (Sizes.any(a, sizes), Sizes.any(b, sizes >> 16), Sizes.any(divisor, sizes >> 32));
        (uint256 high, uint256 low) = _onPaper(a, b);
        if (divisor <= high) divisor = high + 1;
        if (divisor == 0) return;
        uint256 remainder = mulmod(a, b, divisor);
        (uint256 highBack, uint256 lowBack) = _onPaper(Math.mulDiv(a, b, divisor), divisor);
        unchecked {
            lowBack += remainder;
        }
        if (lowBack < remainder) ++highBack;
        assert(highBack == high && lowBack == low);
    }

    /// @notice Math.log2 is the place of the highest bit: both ends of all 256 intervals.
    function test_log2AtEveryPower() external pure {
        assert(Math.log2(0) == 0 && Spec.log2(0) == 0);
        for (uint256 i = 0; i < 256; ++i) {
            (uint256 first, uint256 last) = (1 << i, type(uint256).max >> (255 - i));
            assert(Math.log2(first) == i && Math.log2(last) == i);
            assert(Spec.log2(first) == i && Spec.log2(last) == i);
        }
    }

    /// @notice Math.log2 is the place of the highest bit, inside the intervals.
    function test_log2(uint256 x, uint256 sizes) external pure {
        x = Sizes.any(x, sizes);
        uint256 result = Math.log2(x);
        assert(result == Spec.log2(x) && (x == 0 || x >> result == 1));
    }

    function _onPaper(uint256 a, uint256 b) private pure returns (uint256 high, uint256 low) {
        (uint256 a1, uint256 a0, uint256 b1, uint256 b0) = (a >> 128, uint128(a), b >> 128, uint128(b));
        uint256 middle = a1 * b0 + ((a0 * b0) >> 128);
        uint256 carry = a0 * b1 + uint128(middle);
        high = a1 * b1 + (middle >> 128) + (carry >> 128);
        low = (carry << 128) | uint128(a0 * b0);
    }
}
