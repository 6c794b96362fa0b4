// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title Books
/// @notice What everybody should own and have locked, kept beside the Hub by the rules of the protocol alone.
/// @dev A booking that takes more than there is reverts, and so fails the run.
abstract contract Books {
    /// @notice Thrown when a task ended and `left` of what was locked for it went nowhere.
    error TaskStillHolds(bytes32 taskId, uint256 left);

    mapping(address account => uint256) internal _free;
    mapping(address account => uint256) internal _frozen;
    mapping(bytes32 taskId => uint256) internal _heldFor;
    uint256 internal _supply;
    uint256 internal _kitty;
    uint256 internal _blobs;

    /* OWNING */

    function _bookMint(address account, uint256 amount) internal {
        _free[account] += amount;
        _supply += amount;
    }

    function _bookBurn(address account, uint256 amount) internal {
        _free[account] -= amount;
        _supply -= amount;
    }

    function _bookMove(address from, address to, uint256 amount) internal {
        _free[from] -= amount;
        _free[to] += amount;
    }

    /* LOCKING */

    /// @dev For a whole deal: its tasks take their parts when they are first looked at.
    function _bookLock(address account, uint256 amount) internal {
        _free[account] -= amount;
        _frozen[account] += amount;
    }

    function _bookLockFor(bytes32 taskId, address account, uint256 amount) internal {
        _bookLock(account, amount);
        _heldFor[taskId] += amount;
    }

    function _bookUnlock(bytes32 taskId, address account, uint256 amount) internal {
        _frozen[account] -= amount;
        _free[account] += amount;
        _heldFor[taskId] -= amount;
    }

    function _bookSeize(address account, uint256 amount) internal {
        _frozen[account] -= amount;
    }

    function _bookReward(bytes32 taskId, address account, uint256 amount) internal {
        _free[account] += amount;
        _heldFor[taskId] -= amount;
    }

    /* KITTY */

    function _bookToKitty(bytes32 taskId, uint256 amount) internal {
        _kitty += amount;
        _heldFor[taskId] -= amount;
    }

    function _bookFromKitty(address account, uint256 amount) internal {
        _kitty -= amount;
        _free[account] += amount;
    }

    /// @dev To the unit: all that was locked for the task was paid, given back or put into the kitty.
    function _bookEnd(bytes32 taskId) internal view {
        require(_heldFor[taskId] == 0, TaskStillHolds(taskId, _heldFor[taskId]));
    }
}
