// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Troublemaker
/// @notice Answers any call (callback, ERC-1271, ERC-734, approval, payment) in the worst way of its kind.
contract Troublemaker {
    enum Kind {
        REVERTS,
        REVERTS_WITH_A_BOMB,
        RETURNS_A_BOMB,
        BURNS_GAS,
        RETURNS_NOTHING,
        RETURNS_ZERO,
        RETURNS_ALL_ONES,
        RETURNS_ONE_BYTE
    }

    error Trouble(uint256 value);

    uint256 private constant BOMB = 50_000;

    Kind public immutable kind;

    constructor(Kind kind_) {
        kind = kind_;
    }

    receive() external payable {
        _makeTrouble();
    }

    fallback() external payable {
        _makeTrouble();
    }

    function _makeTrouble() private view {
        if (kind == Kind.REVERTS) revert Trouble(42);
        if (kind == Kind.REVERTS_WITH_A_BOMB) _revertWith(BOMB);
        if (kind == Kind.BURNS_GAS) _burn();
        if (kind == Kind.RETURNS_A_BOMB) _return(0, BOMB);
        if (kind == Kind.RETURNS_ZERO) _return(0, 32);
        if (kind == Kind.RETURNS_ALL_ONES) _return(type(uint256).max, 32);
        if (kind == Kind.RETURNS_ONE_BYTE) _return(type(uint256).max, 1);
    }

    /// @dev As a loop without end would, in no time.
    function _burn() private pure {
        assembly ("memory-safe") {
            invalid()
        }
    }

    function _revertWith(uint256 length) private pure {
        assembly ("memory-safe") {
            revert(mload(0x40), length)
        }
    }

    function _return(uint256 value, uint256 length) private pure {
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, value)
            return(start, length)
        }
    }
}
