// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IEscrow} from "../../contracts/interfaces/IEscrow.sol";
import {IMulticall} from "../../contracts/interfaces/IMulticall.sol";
import {IStakedToken} from "../../contracts/interfaces/IStakedToken.sol";
import {AdminChapter} from "./AdminChapter.sol";

/// @title StakedChapter
/// @notice What is deposited changes hands as a token, by owners and by spenders, one by one or all or nothing.
abstract contract StakedChapter is AdminChapter {
    mapping(address owner => mapping(address spender => uint256)) private _allowed;

    function transfer(uint256 seed) external action(seed) {
        (address from, address to) = (_someone(), _target());
        uint256 amount = _amountOf(_free[from]);
        bool allowed = to != NOBODY && amount <= _free[from];
        _actIf(allowed, from, abi.encodeCall(IERC20.transfer, (to, amount)));
        if (allowed) _bookMove(from, to, amount);
    }

    function transferFrom(uint256 seed) external action(seed) {
        (address from, address to, address spender) = (_someone(), _target(), _someone());
        if (!_chance(4)) _approve(from, spender, _amountOf(_free[from]));
        uint256 amount = _chance(4) ? _amountOf(_free[from]) : _allowed[from][spender];
        bool allowed = to != NOBODY && amount <= _free[from] && amount <= _allowed[from][spender];
        _actIf(allowed, spender, abi.encodeCall(IERC20.transferFrom, (from, to, amount)));
        if (!allowed) return;
        _allowed[from][spender] -= amount;
        _bookMove(from, to, amount);
    }

    function approve(uint256 seed) external action(seed) {
        _approve(_someone(), _target(), _draw(type(uint256).max));
    }

    function increaseAllowance(uint256 seed) external action(seed) {
        (address owner, address spender) = (_someone(), _target());
        uint256 before = _allowed[owner][spender];
        uint256 added = _chance(4) ? type(uint256).max - _draw(9) : _draw(1e18);
        bool allowed = spender != NOBODY && added <= type(uint256).max - before;
        _actIf(allowed, owner, abi.encodeCall(IStakedToken.increaseAllowance, (spender, added)));
        if (allowed) _bookAllowance(owner, spender, before + added);
    }

    function decreaseAllowance(uint256 seed) external action(seed) {
        (address owner, address spender) = (_someone(), _target());
        if (_chance(2)) _approve(owner, spender, _draw(1e18));
        uint256 before = _allowed[owner][spender];
        // Of the highest allowance there is, nobody can ask for more.
        bool tooMuch = _chance(4) && before < type(uint256).max;
        uint256 removed = tooMuch ? before + 1 : _draw(_min(before, 1e18) + 1);
        bool allowed = spender != NOBODY && removed <= before;
        _actIf(allowed, owner, abi.encodeCall(IStakedToken.decreaseAllowance, (spender, removed)));
        if (allowed) _bookAllowance(owner, spender, before - removed);
    }

    /// @dev The contract among the actors accepts, and takes part of what it was allowed while it is asked.
    function approveAndCall(uint256 seed) external action(seed) {
        address owner = _actors[_draw(BUSYBODY)];
        address spender = _chance(6) ? _actors[0] : _actors[BUSYBODY];
        uint256 amount = _amountOf(_free[owner]);
        uint256 taken = _chance(2) ? amount : amount / 2;
        _busybody.arm(address(hub), abi.encodeCall(IERC20.transferFrom, (owner, spender, taken)));
        bool allowed = spender != _actors[0];
        _actIf(allowed, owner, abi.encodeCall(IStakedToken.approveAndCall, (spender, amount, "data")));
        _busybody.disarm();
        if (!allowed) return;
        bool moved = _busybody.meddled();
        _expect(moved == (taken <= _free[owner]), IERC20.transferFrom.selector, moved, "");
        if (moved) _bookMove(owner, spender, taken);
        _bookAllowance(owner, spender, moved ? amount - taken : amount);
    }

    /// @dev Several payments of one account: all of them or none.
    function multicall(uint256 seed) external action(seed) {
        address from = _someone();
        bytes[] memory payments = new bytes[](_draw(4));
        address[] memory targets = new address[](payments.length);
        uint256[] memory amounts = new uint256[](payments.length);
        uint256 left = _free[from];
        bool allowed = true;
        for (uint256 i = 0; i < payments.length; ++i) {
            (targets[i], amounts[i]) = (_someone(), _amountOf(left));
            payments[i] = abi.encodeCall(IERC20.transfer, (targets[i], amounts[i]));
            allowed = allowed && amounts[i] <= left;
            if (allowed && targets[i] != from) left -= amounts[i];
        }
        _actIf(allowed, from, abi.encodeCall(IMulticall.multicall, (payments)));
        for (uint256 i = 0; allowed && i < payments.length; ++i) {
            _bookMove(from, targets[i], amounts[i]);
        }
    }

    function withdraw(uint256 seed) external action(seed) {
        address from = _someone();
        uint256 amount = _amountOf(_free[from]);
        bool allowed = amount <= _free[from];
        _actIf(allowed, from, abi.encodeCall(IEscrow.withdraw, (amount)));
        if (allowed) _bookBurn(from, amount);
    }

    function withdrawTo(uint256 seed) external action(seed) {
        (address from, address to) = (_someone(), _chance(8) ? address(hub) : _someone());
        uint256 amount = _amountOf(_free[from]);
        uint256 again = _free[_actors[BUSYBODY]] / 8;
        _busybody.arm(address(hub), abi.encodeCall(IEscrow.withdrawTo, (again, _actors[0])));
        bool allowed = to != address(hub) && amount <= _free[from];
        _actIf(allowed, from, abi.encodeCall(IEscrow.withdrawTo, (amount, to)));
        _busybody.disarm();
        if (allowed) _bookBurn(from, amount);
        // Where it was asked while it was paid.
        if (_busybody.meddled()) _bookBurn(_actors[BUSYBODY], again);
    }

    /// @dev The owner gets all that is there and belongs to nobody, strangers nothing.
    function recover(uint256 seed) external action(seed) {
        if (_chance(2)) _sendByMistake();
        address caller = _caller();
        uint256 surplus = _custody() - _supply;
        bool allowed = caller == _owner && _supply + surplus <= MAX_SUPPLY;
        bytes memory answer = _actIf(allowed, caller, abi.encodeCall(IEscrow.recover, ()));
        if (!allowed) return;
        _expect(abi.decode(answer, (uint256)) == surplus, IEscrow.recover.selector, true, answer);
        _bookMint(caller, surplus);
    }

    function sendByMistake(uint256 seed) external action(seed) {
        _sendByMistake();
    }

    function _sendByMistake() internal virtual;

    /// @dev What the Hub has of the currency, in units of the staked token.
    function _custody() internal view virtual returns (uint256);

    /// @dev Mostly an actor, at times the Hub, the kitty or nobody.
    function _target() internal returns (address) {
        uint256 kind = _draw(16);
        if (kind == 0) return address(hub);
        if (kind == 1) return _kittyAddress;
        return kind == 2 ? NOBODY : _someone();
    }

    function _approve(address owner, address spender, uint256 amount) private {
        bool allowed = spender != NOBODY;
        _actIf(allowed, owner, abi.encodeCall(IERC20.approve, (spender, amount)));
        if (allowed) _bookAllowance(owner, spender, amount);
    }

    function _bookAllowance(address owner, address spender, uint256 amount) private {
        _allowed[owner][spender] = amount;
        bool same = hub.allowance(owner, spender) == amount;
        _expect(same, IERC20.allowance.selector, true, "");
    }
}
