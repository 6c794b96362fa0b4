// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IEscrow} from "../interfaces/IEscrow.sol";
import {HubStorage} from "./HubStorage.sol";

/// @title Escrow: what accounts own, lock, lose and earn
/// @dev Chapters pass the Vault in memory and write it back once. No amount is above the supply, which fits 96 bits.
abstract contract Escrow is HubStorage {
    /* CUSTODY */

    /// @dev Moves `amount` of `account` into custody.
    function _lock(Vault memory vault, address account, uint256 amount) internal {
        AccountState storage state = _accounts[account];
        (uint256 free, uint256 frozen, uint256 score) = (state.free, state.frozen, state.score);
        require(amount <= free, IERC20Errors.ERC20InsufficientBalance(account, free, amount));
        _store(state, free - amount, frozen + amount, score);
        vault.held += uint96(amount);
        emit IERC20.Transfer(account, address(this), amount);
        emit IEscrow.Lock(account, amount);
    }

    /// @dev Moves what `account` had locked back to it.
    function _unlock(Vault memory vault, address account, uint256 amount) internal {
        _release(vault, account, amount, 0);
        _emitUnlock(account, amount);
    }

    /// @dev Pays `account` out of custody.
    function _reward(Vault memory vault, address account, uint256 amount, bytes32 taskId) internal {
        _credit(vault, account, amount);
        _emitReward(account, amount, taskId);
    }

    /// @dev Takes what `account` had locked; it stays in custody.
    function _seize(address account, uint256 amount, bytes32 taskId) internal {
        _accounts[account].frozen -= uint96(amount);
        emit IEscrow.Seize(account, amount, taskId);
    }

    /// @dev Gives back what `account` had locked, and `earned` beside; to be announced by the caller.
    function _release(Vault memory vault, address account, uint256 unlocked, uint256 earned) internal {
        AccountState storage state = _accounts[account];
        (uint256 free, uint256 frozen, uint256 score) = (state.free, state.frozen, state.score);
        _store(state, free + unlocked + earned, frozen - unlocked, score);
        vault.held -= uint96(unlocked + earned);
    }

    /// @dev To be announced by the caller.
    function _credit(Vault memory vault, address account, uint256 amount) internal {
        _accounts[account].free += uint96(amount);
        vault.held -= uint96(amount);
    }

    function _emitUnlock(address account, uint256 amount) internal {
        emit IERC20.Transfer(address(this), account, amount);
        emit IEscrow.Unlock(account, amount);
    }

    function _emitReward(address account, uint256 amount, bytes32 taskId) internal {
        emit IERC20.Transfer(address(this), account, amount);
        emit IEscrow.Reward(account, amount, taskId);
    }

    /// @dev What was seized goes to the kitty.
    function _fillKitty(Vault memory vault, uint256 amount, bytes32 taskId) internal {
        vault.kitty += uint96(amount);
        emit IEscrow.Reward(KITTY_ADDRESS, amount, taskId);
        emit IEscrow.Lock(KITTY_ADDRESS, amount);
    }

    /* MOVES */

    function _mint(address target, uint256 amount) internal {
        _raiseSupply(amount);
        _issue(target, amount);
    }

    function _burn(address from, uint256 amount) internal {
        _redeem(from, amount);
        _supply -= amount;
    }

    /// @dev For what is about to come in.
    function _raiseSupply(uint256 amount) internal {
        uint256 supply = _supply + amount;
        require(supply <= MAX_SUPPLY, IEscrow.SupplyTooLarge(supply, MAX_SUPPLY));
        _supply = supply;
    }

    /// @dev Of a supply that was raised for it.
    function _issue(address target, uint256 amount) internal {
        require(target != address(0), IERC20Errors.ERC20InvalidReceiver(target));
        _accounts[target].free += uint96(amount);
        emit IERC20.Transfer(address(0), target, amount);
    }

    /// @dev The supply is still to be lowered.
    function _redeem(address from, uint256 amount) internal {
        _debit(from, amount);
        emit IERC20.Transfer(from, address(0), amount);
    }

    function _transfer(address from, address to, uint256 amount) internal {
        require(to != address(0), IERC20Errors.ERC20InvalidReceiver(to));
        _debit(from, amount);
        _accounts[to].free += uint96(amount);
        emit IERC20.Transfer(from, to, amount);
    }

    function _debit(address from, uint256 amount) private {
        AccountState storage state = _accounts[from];
        uint256 free = state.free;
        require(amount <= free, IERC20Errors.ERC20InsufficientBalance(from, free, amount));
        state.free = uint96(free - amount);
    }
}
