// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Account} from "../../contracts/types/Deals.sol";
import {OrderKind} from "../../contracts/types/Orders.sol";
import {StakedChapter} from "./StakedChapter.sol";
import {vm} from "./Vm.sol";

/// @title Rules
/// @notice What must hold after every call, whatever anybody does.
abstract contract Rules is StakedChapter {
    /// @notice Thrown when not every staked token could be withdrawn.
    error CurrencyDoesNotCoverTheSupply(uint256 currency, uint256 supply);

    /// @notice Thrown when something was made or lost between accounts.
    error SupplyIsNotTheSumOfTheBalances(uint256 supply, uint256 sum);

    /// @notice Thrown when the Hub holds less than what is locked and in the kitty, or more than that and its gifts.
    error HeldIsNotWhatIsLocked(uint256 held, uint256 locked, uint256 given);

    /// @notice Thrown when an account has or has locked something else than what the rules gave and took.
    error AccountDiffersFromTheBooks(address account, Account found, uint256 free, uint256 frozen);

    /// @notice Thrown when the kitty moved otherwise than by failed tasks and bonuses.
    error KittyDiffersFromTheBooks(uint256 found, uint256 kitty);

    /// @notice Thrown when the Hub made another contract than blobs: its nonce is one and their number.
    error NonceIsNotTheNumberOfBlobs(uint256 nonce, uint256 blobs);

    /// @notice Thrown when a deal changed after it was made.
    error DealChanged(bytes32 dealId);

    /// @notice Thrown when a task changed after it ended.
    error EndedTaskChanged(bytes32 taskId);

    /// @notice Thrown when a worker's score is not what its contributions made it.
    error ScoreDiffersFromTheRules(address worker, uint256 found, uint256 score);

    /// @dev How many of the old orders, deals and tasks are looked at after each call; all of them in the end.
    uint256 private constant LOOKS = 2;

    /* MONEY */

    function checkMoney() public view {
        Account[] memory found = new Account[](_accounts.length);
        (uint256 sum, uint256 locked) = (0, 0);
        for (uint256 i = 0; i < found.length; ++i) {
            found[i] = hub.viewAccount(_accounts[i]);
            sum += found[i].stake;
            locked += found[i].locked;
        }
        (uint256 supply, uint256 currency) = (hub.totalSupply(), _custody());
        require(sum == supply, SupplyIsNotTheSumOfTheBalances(supply, sum));
        require(currency >= supply, CurrencyDoesNotCoverTheSupply(currency, supply));
        uint256 kitty = hub.frozenOf(_kittyAddress);
        require(kitty == _kitty, KittyDiffersFromTheBooks(kitty, _kitty));
        (uint256 held, uint256 given) = (hub.balanceOf(address(hub)), _free[address(hub)]);
        require(held == locked + given, HeldIsNotWhatIsLocked(held, locked, given));
        _checkAccounts(found);
    }

    function _checkAccounts(Account[] memory found) private view {
        for (uint256 i = 0; i < found.length; ++i) {
            address account = _accounts[i];
            (uint256 free, uint256 frozen) = (_free[account], _frozen[account]);
            // What is locked, and the kitty, belongs to the Hub's own balance.
            if (account == address(hub)) free += _locked();
            if (account == _kittyAddress) frozen += _kitty;
            bool same = found[i].stake == free && found[i].locked == frozen;
            require(same, AccountDiffersFromTheBooks(account, found[i], free, frozen));
        }
    }

    function _locked() private view returns (uint256 locked) {
        locked = _kitty;
        for (uint256 i = 0; i < _accounts.length; ++i) {
            locked += _frozen[_accounts[i]];
        }
    }

    /* HISTORY */

    function checkHistory() public view {
        uint256 nonce = vm.getNonce(address(hub));
        require(nonce == 1 + _blobs, NonceIsNotTheNumberOfBlobs(nonce, _blobs));
        for (uint256 i = calls; i < calls + LOOKS; ++i) {
            if (_dealIds.length > 0) _checkDeal(_dealIds[i % _dealIds.length]);
            if (_endedTasks.length > 0) _checkEnded(_endedTasks[i % _endedTasks.length]);
            if (_orderHashes.length > 0) _checkVolume(_orderHashes[i % _orderHashes.length]);
        }
        for (uint256 i = 0; i < ACTORS; ++i) {
            (uint256 found, uint256 score) = (hub.viewScore(_actors[i]), _scores[_actors[i]]);
            require(found == score, ScoreDiffersFromTheRules(_actors[i], found, score));
        }
    }

    function checkAllOfHistory() public view {
        for (uint256 i = 0; i < _dealIds.length; ++i) {
            _checkDeal(_dealIds[i]);
        }
        for (uint256 i = 0; i < _endedTasks.length; ++i) {
            _checkEnded(_endedTasks[i]);
        }
        for (uint256 i = 0; i < _orderHashes.length; ++i) {
            _checkVolume(_orderHashes[i]);
        }
    }

    function firstDeal() external view returns (bytes32 dealId) {
        return _dealIds[0];
    }

    function firstEndedTask() external view returns (bytes32 taskId) {
        return _endedTasks[0];
    }

    function firstUsedOrder() external view returns (bytes32 orderHash) {
        uint256 i;
        while (_kept[_orderHashes[i]].consumed == 0 || _kept[_orderHashes[i]].kind == OrderKind.REQUEST) ++i;
        return _orderHashes[i];
    }

    function _checkDeal(bytes32 dealId) private view {
        require(_hasItsPrint(dealId), DealChanged(dealId));
    }

    function _checkEnded(bytes32 taskId) private view {
        require(_printOf(taskId) == _tasks[taskId].ending, EndedTaskChanged(taskId));
    }
}
