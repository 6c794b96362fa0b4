// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IEscrow} from "../../contracts/interfaces/IEscrow.sol";
import {ITasks} from "../../contracts/interfaces/ITasks.sol";
import {TaskStatus} from "../../contracts/types/Deals.sol";
import {Functions} from "./Functions.sol";
import {Rules} from "./Rules.sol";
import {vm} from "./Vm.sol";

/// @title Ending
/// @notice How every run ends: all time is over, anybody releases whatever is locked, and everybody leaves with what is
/// theirs.
abstract contract Ending is Rules {
    /// @notice Thrown when an amount stays locked although everything was claimed.
    error LockedForEver(address account, uint256 amount);

    /// @notice Thrown when a function of the Hub was never called to its end, or one that always refuses never refused.
    error NeverHappened(bytes4 selector);

    /// @notice Thrown when somebody could not leave with all that is theirs.
    error LeftBehind(uint256 supply, uint256 ownerless);

    /// @dev After so many calls, every function must have happened.
    uint256 private constant ENOUGH_CALLS = 1500;

    function finish() external {
        checkAllOfHistory();
        _writeFigures();
        if (calls >= ENOUGH_CALLS) _checkEverythingHappened();
        _releaseAll();
        checkMoney();
        _checkNothingIsLocked();
        checkAllOfHistory();
        _leave();
    }

    function functions() public view virtual returns (bytes4[] memory);

    /// @dev By who has no part in any of it.
    function _releaseAll() private {
        uint256 end = _now;
        for (uint256 i = 0; i < _taskIds.length; ++i) {
            uint256 deadline = _tasks[_taskIds[i]].finalDeadline;
            if (deadline > end) end = deadline;
        }
        _now = end;
        vm.warp(end);
        for (uint256 i = 0; i < _taskIds.length; ++i) {
            bytes32 taskId = _taskIds[i];
            TaskStatus status = _tasks[taskId].status;
            if (status == TaskStatus.COMPLETED || status == TaskStatus.FAILED) continue;
            _actIf(true, vm.addr(STRANGER_KEY), status == TaskStatus.UNSET ? _beginAndClaim(taskId) : _claim(taskId));
            _tasks[taskId].status = TaskStatus.ACTIVE;
            _bookClaim(taskId);
        }
    }

    function _claim(bytes32 taskId) private pure returns (bytes memory) {
        return abi.encodeCall(ITasks.claim, (taskId));
    }

    function _beginAndClaim(bytes32 taskId) private view returns (bytes memory) {
        (bytes32[] memory dealIds, uint256[] memory indexes) = (new bytes32[](1), new uint256[](1));
        (dealIds[0], indexes[0]) = (_tasks[taskId].dealId, _tasks[taskId].index);
        return abi.encodeCall(ITasks.initializeAndClaimArray, (dealIds, indexes));
    }

    function _checkNothingIsLocked() private view {
        for (uint256 i = 0; i < _accounts.length; ++i) {
            uint256 locked = hub.frozenOf(_accounts[i]);
            require(locked == 0 || _accounts[i] == _kittyAddress, LockedForEver(_accounts[i], locked));
        }
    }

    /// @dev What stays is the kitty, and what was given to the Hub and to the kitty, which nobody owns.
    function _leave() private {
        for (uint256 i = 0; i < ACTORS; ++i) {
            address actor = _actors[i];
            uint256 amount = _free[actor];
            _actIf(true, actor, abi.encodeCall(IEscrow.withdraw, (amount)));
            _bookBurn(actor, amount);
        }
        checkMoney();
        uint256 ownerless = _kitty + _free[address(hub)] + _free[_kittyAddress];
        require(hub.totalSupply() == ownerless, LeftBehind(hub.totalSupply(), ownerless));
    }

    function _checkEverythingHappened() private view {
        bytes4[] memory selectors = functions();
        for (uint256 i = 0; i < selectors.length; ++i) {
            bool refuses = Functions.isRefusedForEver(selectors[i]);
            (uint256 done, uint256 refused) = (successes[selectors[i]], refusals[selectors[i]]);
            require(refuses ? done == 0 && refused > 0 : done > 0, NeverHappened(selectors[i]));
        }
    }

    /// @dev One line for each run where somebody asks for it: calls, then successes and refusals of each function.
    function _writeFigures() private {
        string memory path = vm.envOr("INVARIANT_FIGURES", string(""));
        if (bytes(path).length == 0) return;
        bytes4[] memory selectors = functions();
        uint256[] memory figures = new uint256[](1 + 2 * selectors.length);
        figures[0] = calls;
        for (uint256 i = 0; i < selectors.length; ++i) {
            figures[1 + 2 * i] = successes[selectors[i]];
            figures[2 + 2 * i] = refusals[selectors[i]];
        }
        vm.writeLine(path, vm.toString(abi.encode(selectors, figures)));
    }
}
